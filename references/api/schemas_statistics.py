"""Bodies of the figures: statistics, deletion risk, popularity and past usage."""

from rest_framework import serializers

from references.serializers.fields import OPTIONAL
from references.serializers.records import GenericModelRecord, RecordTypeField

# Statistics -------------------------------------------------------------------------------------------------


class BaselineStats(serializers.Serializer):
    """How many models share a baseline."""

    baseline = serializers.CharField()
    count = serializers.IntegerField(min_value=1)
    percentage = serializers.FloatField(help_text="Of all models of the category.")


class DownloadStats(serializers.Serializer):
    """How many files there are, how large, and where."""

    total_models_with_downloads = serializers.IntegerField(min_value=0)
    total_download_entries = serializers.IntegerField(min_value=0, help_text="Files of all models.")
    total_size_bytes = serializers.IntegerField(min_value=0, help_text="Of the models that tell their size.")
    models_with_size_info = serializers.IntegerField(min_value=0)
    average_size_bytes = serializers.FloatField(help_text="0 while no model tells its size.")
    hosts = serializers.DictField(
        child=serializers.IntegerField(min_value=1), help_text="Files by host, the most used host first."
    )


class TagStats(serializers.Serializer):
    """How often a tag or a style is used."""

    tag = serializers.CharField()
    count = serializers.IntegerField(min_value=1)
    percentage = serializers.FloatField(help_text="Of all models of the category.")


class ParameterBucketStats(serializers.Serializer):
    """How many text models are of a range of sizes."""

    bucket_label = serializers.CharField()
    min_params = serializers.IntegerField(min_value=0)
    max_params = serializers.IntegerField(
        allow_null=True, help_text="The first size beyond the range; null for the range without an end."
    )
    count = serializers.IntegerField(min_value=1)
    percentage = serializers.FloatField(help_text="Of all models of the category.")


class CategoryStatistics(serializers.Serializer):
    """A category in figures."""

    category = RecordTypeField(help_text="The category.")
    total_models = serializers.IntegerField(min_value=1, help_text="Models, or groups when grouped.")
    returned_models = serializers.IntegerField(min_value=1, help_text="The same: no page is cut out.")
    offset = serializers.IntegerField(min_value=0, help_text="As asked for.")
    limit = serializers.IntegerField(allow_null=True, min_value=1, help_text="As asked for.")
    nsfw_count = serializers.IntegerField(min_value=0, help_text="Models that are not safe for work.")
    sfw_count = serializers.IntegerField(min_value=0, help_text="All others.")
    baseline_distribution = serializers.DictField(
        child=BaselineStats(), help_text="By baseline, the most frequent one first."
    )
    download_stats = DownloadStats()
    top_tags = TagStats(many=True, help_text="The most frequent tags.")
    top_styles = TagStats(many=True, help_text="The most frequent styles.")
    parameter_buckets = ParameterBucketStats(many=True, help_text="Text models only.")
    models_without_param_info = serializers.IntegerField(min_value=0, help_text="Text models only.")
    models_with_trigger_words = serializers.IntegerField(min_value=0, help_text="Image models only.")
    models_with_inpainting = serializers.IntegerField(min_value=0, help_text="Image models only.")
    models_with_requirements = serializers.IntegerField(min_value=0, help_text="Image models only.")
    models_with_showcases = serializers.IntegerField(min_value=0)
    computed_at = serializers.IntegerField(help_text="When the figures were computed, in UNIX seconds.")


# Deletion risk ----------------------------------------------------------------------------------------------


class DeletionRiskFlags(serializers.Serializer):
    """What can speak against keeping a model. Usage flags are for models that were ever used."""

    zero_usage_day = serializers.BooleanField(help_text="Not used in the last day.")
    zero_usage_month = serializers.BooleanField(help_text="Not used in the last month.")
    zero_usage_total = serializers.BooleanField(help_text="Never used.")
    no_active_workers = serializers.BooleanField(help_text="Served by no worker now.")
    has_multiple_hosts = serializers.BooleanField(help_text="Its files are on several hosts.")
    has_non_preferred_host = serializers.BooleanField(help_text="No file is on a preferred host.")
    has_unknown_host = serializers.BooleanField(help_text="An address cannot be read.")
    no_download_urls = serializers.BooleanField(help_text="No file has a usable address.")
    missing_description = serializers.BooleanField()
    missing_baseline = serializers.BooleanField()
    low_usage = serializers.BooleanField(help_text="A very small part of the category's usage.")


class UsageTrend(serializers.Serializer):
    """Recent usage in proportion to older usage."""

    day_to_month_ratio = serializers.FloatField(allow_null=True, help_text="Null without usage in the month.")
    month_to_total_ratio = serializers.FloatField(allow_null=True, help_text="Null without any usage.")


class BackendVariationStats(serializers.Serializer):
    """The part one backend has in a model's figures."""

    backend = serializers.CharField(help_text="`canonical` for the name without a backend's prefix.")
    variant_name = serializers.CharField(help_text="The name the AI-Horde knows it by.")
    worker_count = serializers.IntegerField(min_value=0)
    performance = serializers.FloatField(allow_null=True)
    usage_day = serializers.IntegerField(min_value=0)
    usage_month = serializers.IntegerField(min_value=0)
    usage_total = serializers.IntegerField(min_value=0)


class ModelDeletionRiskInfo(serializers.Serializer):
    """What speaks for and against keeping one model, or one group of text models."""

    name = serializers.CharField()
    category = RecordTypeField(help_text="The category.")
    deletion_risk_flags = DeletionRiskFlags()
    at_risk = serializers.BooleanField(help_text="Whether any flag is set.")
    risk_score = serializers.IntegerField(min_value=0, help_text="How many flags are set.")
    worker_count = serializers.IntegerField(min_value=0, help_text="Of a group: the greatest of its members.")
    usage_day = serializers.IntegerField(min_value=0)
    usage_month = serializers.IntegerField(min_value=0)
    usage_total = serializers.IntegerField(min_value=0)
    usage_hour = serializers.IntegerField(allow_null=True, help_text="Always null: nobody counts it.")
    usage_minute = serializers.IntegerField(allow_null=True, help_text="Always null: nobody counts it.")
    usage_percentage_of_category = serializers.FloatField(help_text="Of the last month's usage.")
    usage_trend = UsageTrend()
    cost_benefit_score = serializers.FloatField(
        allow_null=True, help_text="The last month's requests per GiB; null without a size."
    )
    size_gb = serializers.FloatField(allow_null=True, help_text="In GiB; null for text models.")
    baseline = serializers.CharField(allow_null=True)
    nsfw = serializers.BooleanField(allow_null=True)
    has_description = serializers.BooleanField()
    download_count = serializers.IntegerField(min_value=0)
    download_hosts = serializers.ListField(child=serializers.CharField())
    backend_variations = BackendVariationStats(many=True, allow_null=True)
    is_critical = serializers.BooleanField(help_text="Next to unused, and served by nobody.")
    has_warning = serializers.BooleanField(help_text="Whether any flag about its files is set.")


class CategoryDeletionRiskSummary(serializers.Serializer):
    """The entries, counted."""

    total_models = serializers.IntegerField(min_value=0)
    models_at_risk = serializers.IntegerField(min_value=0)
    models_critical = serializers.IntegerField(min_value=0)
    models_with_warnings = serializers.IntegerField(min_value=0)
    models_with_zero_day_usage = serializers.IntegerField(min_value=0)
    models_with_zero_month_usage = serializers.IntegerField(min_value=0)
    models_with_zero_total_usage = serializers.IntegerField(min_value=0)
    models_with_no_active_workers = serializers.IntegerField(min_value=0)
    models_with_no_downloads = serializers.IntegerField(min_value=0)
    models_with_non_preferred_hosts = serializers.IntegerField(min_value=0)
    models_with_multiple_hosts = serializers.IntegerField(min_value=0)
    models_with_low_usage = serializers.IntegerField(min_value=0)
    average_risk_score = serializers.FloatField()
    category_total_month_usage = serializers.IntegerField(min_value=0)


class CategoryDeletionRiskResponse(serializers.Serializer):
    """The models of a category, the most used one first, with what speaks against keeping them."""

    category = RecordTypeField(help_text="The category.")
    category_total_month_usage = serializers.IntegerField(min_value=0)
    total_count = serializers.IntegerField(
        min_value=0, help_text="All models of the category; with a page, the entries on all pages."
    )
    returned_count = serializers.IntegerField(min_value=0)
    offset = serializers.IntegerField(min_value=0)
    limit = serializers.IntegerField(allow_null=True, min_value=1)
    models = ModelDeletionRiskInfo(many=True)
    summary = CategoryDeletionRiskSummary(help_text="Of the entries on all pages.")


# Usage ------------------------------------------------------------------------------------------------------


class UsageStats(serializers.Serializer):
    """How often a model was asked for."""

    day = serializers.IntegerField(min_value=0, help_text="In the last day.")
    month = serializers.IntegerField(min_value=0, help_text="In the last month.")
    total = serializers.IntegerField(min_value=0, help_text="Ever.")


class WorkerSummary(serializers.Serializer):
    """A worker that offers a model."""

    id = serializers.CharField()
    name = serializers.CharField()
    performance = serializers.CharField(**OPTIONAL, help_text="Its speed, with the unit.")
    online = serializers.BooleanField(**OPTIONAL)
    trusted = serializers.BooleanField(**OPTIONAL)
    uptime = serializers.IntegerField(**OPTIONAL, help_text="In seconds.")


class ModelStats(serializers.Serializer):
    """What the AI-Horde says of a model; the rest is null, or left out of the most used models."""

    queued_jobs = serializers.IntegerField(**OPTIONAL)
    performance = serializers.FloatField(**OPTIONAL)
    eta = serializers.IntegerField(**OPTIONAL, help_text="Seconds until the queue is worked off.")
    queued = serializers.IntegerField(
        **OPTIONAL, help_text="Work that waits, in the unit of the kind of model."
    )
    usage_stats = UsageStats(**OPTIONAL)
    worker_summaries = serializers.DictField(child=WorkerSummary(), **OPTIONAL, help_text="By worker id.")
    backend_variations = BackendVariationStats(many=True, **OPTIONAL)
    worker_count = serializers.IntegerField(min_value=0)


class PopularModel(serializers.Serializer):
    """A model, its record and its figures."""

    name = serializers.CharField()
    record = GenericModelRecord(help_text="The record, with the further members of its category.")
    stats = ModelStats()


class UsageOfDay(serializers.Serializer):
    """What the AI-Horde said of a model on one day, in UTC."""

    day = serializers.DateField()
    workers = serializers.IntegerField(min_value=0)
    usage_day = serializers.IntegerField(min_value=0, help_text="Requests within the last day.")
    usage_month = serializers.IntegerField(min_value=0, help_text="Requests within the last month.")
    usage_total = serializers.IntegerField(min_value=0, help_text="All requests.")


class UsageHistoryResponse(serializers.Serializer):
    """What was remembered of a model's usage."""

    category = RecordTypeField(help_text="The category.")
    model_name = serializers.CharField()
    days = UsageOfDay(
        many=True, help_text="In order of time; days on which nothing was recorded are missing."
    )
