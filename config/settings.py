"""All settings. Every environment variable is read here; `.env.example` describes them."""

import os
from pathlib import Path

from corsheaders.defaults import default_headers
from django.core.exceptions import ImproperlyConfigured

from config.caches import cache_config
from config.databases import database_config
from config.environment import (
    PREFIX,
    base_url,
    boolean,
    choice,
    folder,
    hosts,
    listing,
    number,
    origins,
    repository_part,
    text,
    url,
    user_ids,
    word,
)
from config.keys import secret_key, static_api_keys
from config.logs import LogFormat, LogLevel, logging_config
from config.published import without_effect_check
from references.vocabulary import CanonicalFormat, ReadRole, ReplicateMode

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = folder("AIWORKER_CACHE_HOME", default=BASE_DIR / "models", inside="horde_model_reference")

DEBUG = boolean("DEBUG", default=False)
ALLOWED_HOSTS = hosts("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"], patterns=True)
CSRF_TRUSTED_ORIGINS = origins("CSRF_TRUSTED_ORIGINS", subdomains=True)
SECRET_KEY = secret_key(DATA_DIR)

# The reference ------------------------------------------------------------------------------------

REPLICATE_MODE = choice(f"{PREFIX}REPLICATE_MODE", default=ReplicateMode.PRIMARY)
CANONICAL_FORMAT = choice(f"{PREFIX}CANONICAL_FORMAT", default=CanonicalFormat.V2)
AI_HORDE_TESTING = boolean("AI_HORDE_TESTING", default=False)
# Nothing of the reference is fetched from elsewhere.
OFFLINE = boolean(f"{PREFIX}OFFLINE", default=False)
# Where a REPLICA reads, and seconds an attempt.
PRIMARY_API_URL = base_url(f"{PREFIX}PRIMARY_API_URL", default="https://models.aihorde.net/api")
PRIMARY_API_TIMEOUT = number(f"{PREFIX}PRIMARY_API_TIMEOUT", default=10, minimum=1)
# Seconds until a round that failed is made again; twice as many after each further failure, up to 300.
PRIMARY_API_BACKOFF_SECONDS = number(
    f"{PREFIX}PRIMARY_API_BACKOFF_SECONDS", default=10, minimum=0, kind=float
)
ENABLE_GITHUB_FALLBACK = boolean(f"{PREFIX}ENABLE_GITHUB_FALLBACK", default=True) and not OFFLINE
without_effect_check()


def _repository(side: str, name: str) -> dict[str, str]:
    prefix = f"{PREFIX}{side}_GITHUB_REPO__"
    return {
        "owner": repository_part(f"{prefix}OWNER", default="Haidra-Org"),
        "name": repository_part(f"{prefix}NAME", default=name),
        "branch": repository_part(f"{prefix}BRANCH", default="main"),
    }


IMAGE_GITHUB_REPO = _repository("IMAGE", "AI-Horde-image-model-reference")
TEXT_GITHUB_REPO = _repository("TEXT", "AI-Horde-text-model-reference")

# GitHub -------------------------------------------------------------------------------------------

GITHUB_SEED_ENABLED = boolean(f"{PREFIX}GITHUB_SEED_ENABLED", default=False) and not OFFLINE
GITHUB_PROXY_URL_BASE = url("GITHUB_PROXY_URL_BASE")
GITHUB_API_URL = base_url("GITHUB_API_URL", default="https://api.github.com")
LEGACY_DOWNLOAD_RETRY_MAX_ATTEMPTS = number(
    f"{PREFIX}LEGACY_DOWNLOAD_RETRY_MAX_ATTEMPTS", default=3, minimum=1
)
LEGACY_DOWNLOAD_RETRY_BACKOFF_SECONDS = number(
    f"{PREFIX}LEGACY_DOWNLOAD_RETRY_BACKOFF_SECONDS", default=2, minimum=0
)
_SYNC_PREFIX = "HORDE_GITHUB_SYNC_"
GITHUB_SYNC = {
    "primary_api_url": base_url(f"{_SYNC_PREFIX}PRIMARY_API_URL"),
    "primary_api_timeout": number(f"{_SYNC_PREFIX}PRIMARY_API_TIMEOUT", default=30, minimum=1),
    "token": word(f"{_SYNC_PREFIX}GITHUB_TOKEN"),
    "app_id": word(f"{_SYNC_PREFIX}GITHUB_APP_ID"),
    "installation_id": word(f"{_SYNC_PREFIX}GITHUB_INSTALLATION_ID"),
    "private_key": text(f"{_SYNC_PREFIX}GITHUB_APP_PRIVATE_KEY"),
    "private_key_path": text(f"{_SYNC_PREFIX}GITHUB_APP_PRIVATE_KEY_PATH"),
    "categories": listing(f"{_SYNC_PREFIX}CATEGORIES_TO_SYNC"),
    "min_changes": number(f"{_SYNC_PREFIX}MIN_CHANGES_THRESHOLD", default=1, minimum=1),
    "reviewers": listing(f"{_SYNC_PREFIX}PR_REVIEWERS"),
    "labels": listing(f"{_SYNC_PREFIX}PR_LABELS", default=["automated", "sync", "ready-for-review"]),
    "team": text(f"{_SYNC_PREFIX}PR_AUTO_ASSIGN_TEAM"),
    "dry_run": boolean(f"{_SYNC_PREFIX}DRY_RUN", default=False),
    "no_pr": boolean(f"{_SYNC_PREFIX}NO_PR", default=False),
    "output_dir": text(f"{_SYNC_PREFIX}OUTPUT_DIR"),
    "watch": boolean(f"{_SYNC_PREFIX}WATCH_MODE", default=False),
    "watch_interval": number(f"{_SYNC_PREFIX}WATCH_INTERVAL_SECONDS", default=60, minimum=1),
}

# The AI-Horde -------------------------------------------------------------------------------------

HORDE_URL = base_url("HORDE_URL", "AI_HORDE_URL", default="https://aihorde.net/api") + "/"
HORDE_API_TIMEOUT = number(f"{PREFIX}HORDE_API_TIMEOUT", default=30, minimum=1)
HORDE_API_CACHE_TTL = number(f"{PREFIX}HORDE_API_CACHE_TTL", default=60, minimum=0)

# Analytics ----------------------------------------------------------------------------------------

STATISTICS_CACHE_TTL = number(f"{PREFIX}STATISTICS_CACHE_TTL", default=300, minimum=0)
DELETION_RISK_CACHE_TTL = number(f"{PREFIX}DELETION_RISK_CACHE_TTL", default=300, minimum=0)
PREFERRED_FILE_HOSTS = hosts(f"{PREFIX}PREFERRED_FILE_HOSTS", default=["huggingface.co"])
LOW_USAGE_THRESHOLD_PERCENTAGE = number(
    f"{PREFIX}LOW_USAGE_THRESHOLD_PERCENTAGE", default=0.0065, minimum=0, kind=float
)
TEXT_GEN_LOW_USAGE_THRESHOLD_PERCENTAGE = number(
    f"{PREFIX}TEXT_GEN_LOW_USAGE_THRESHOLD_PERCENTAGE", default=0.02, minimum=0, kind=float
)
TEXT_GEN_IGNORE_DOWNLOAD_HOSTS = boolean(f"{PREFIX}TEXT_GEN_IGNORE_DOWNLOAD_HOSTS", default=True)
TEXT_GEN_CRITICAL_USAGE_THRESHOLD = number(
    f"{PREFIX}TEXT_GEN_CRITICAL_USAGE_THRESHOLD", default=10, minimum=0
)
TEXT_GEN_CRITICAL_WORKER_THRESHOLD = number(
    f"{PREFIX}TEXT_GEN_CRITICAL_WORKER_THRESHOLD", default=1, minimum=0
)

# Moderation ---------------------------------------------------------------------------------------

QUEUE_ENABLED = boolean(f"{PREFIX}PENDING_QUEUE__ENABLED", default=True)
QUEUE_REQUESTOR_IDS = user_ids(f"{PREFIX}PENDING_QUEUE__REQUESTOR_IDS")
QUEUE_APPROVER_IDS = user_ids(f"{PREFIX}PENDING_QUEUE__APPROVER_IDS")
QUEUE_READ_ROLE = choice(f"{PREFIX}PENDING_QUEUE__READ_ROLE", default=ReadRole.APPROVER)
QUEUE_FORBID_SELF_APPROVAL = boolean(f"{PREFIX}PENDING_QUEUE__FORBID_SELF_APPROVAL", default=False)
AUDIT_ENABLED = boolean(f"{PREFIX}AUDIT__ENABLED", default=True)
WEBHOOK_ALLOW_PRIVATE = boolean("WEBHOOK_ALLOW_PRIVATE", default=False)


STATIC_API_KEYS = static_api_keys()

# Django -------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "config.apps.RootConfig",
    "config.apps.DeskConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "corsheaders",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "references",
    "moderation",
]
MIDDLEWARE = [
    "config.logs.RequestLogMiddleware",
    "config.limits.HeadLimitMiddleware",
    "config.limits.BodyLimitMiddleware",
    "config.middleware.CrossOriginMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.middleware.TrailingSlashMiddleware",
    "config.limits.WriteLimitMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "config.middleware.PageCsrfMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "config.urls"
APPEND_SLASH = False
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DATABASES = {"default": database_config(text("DATABASE_URL", default=f"sqlite:///{DATA_DIR}/store.sqlite3"))}
# Each read of a record asks for the category's revision, so this time holds for other entries alone.
CACHE_TTL_SECONDS = number(f"{PREFIX}CACHE_TTL_SECONDS", default=60, minimum=1)
CACHES = {"default": cache_config(ttl=CACHE_TTL_SECONDS, is_used=REPLICATE_MODE is ReplicateMode.PRIMARY)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
# Files that were never collected are found where they are.
WHITENOISE_USE_FINDERS = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "config.storage.StaticStorage"},
}
# One byte over the contract's limit would be refused by Django with a page; the views answer 413 themselves.
MAX_BODY_BYTES = 5 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY_BYTES
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
# More than one: a thread that waits for the AI-Horde to answer about a key must not keep reads waiting.
WORKER_THREADS = 4
# Threads besides them, as many as may wait for the bodies of requests at once.
BODY_PLACES = 2
# The threads of both kinds that may write at once. Writes wait for each other, as long as an import takes.
WRITE_PLACES = 3

# HTTP ---------------------------------------------------------------------------------------------

TRUST_PROXY = boolean("TRUST_PROXY", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUST_PROXY else None
METRICS_ENABLED = boolean("METRICS_ENABLED", default=False)
# Where the processes of one server add up what they count. The library reads the variable when it is imported.
METRICS_DIR = Path(text("PROMETHEUS_MULTIPROC_DIR", default=str(DATA_DIR / "metrics" / str(os.getpid()))))
if METRICS_ENABLED:
    folder("PROMETHEUS_MULTIPROC_DIR", default=METRICS_DIR.parent, inside="")
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(METRICS_DIR)
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Set where people reach the pages over https only.
SECURE_COOKIES = boolean("SECURE_COOKIES", default=False)
SECURE_SSL_REDIRECT = boolean("SECURE_SSL_REDIRECT", default=False)
# Asked on the server's own port too, by whoever watches over it.
SECURE_REDIRECT_EXEMPT = [r"^metrics\Z", r"^api/heartbeat\Z"]
SECURE_HSTS_SECONDS = number("SECURE_HSTS_SECONDS", default=0, minimum=0)
# Forms have Django's protection under another name; whether the names below this one, and the lists of browsers,
# take part in HSTS is for the owner of the domain to say.
SILENCED_SYSTEM_CHECKS = ["security.W003", "security.W005", "security.W021"]
SESSION_COOKIE_SECURE = SECURE_COOKIES
CSRF_COOKIE_SECURE = SECURE_COOKIES
CSRF_FAILURE_VIEW = "references.pages.errors.csrf_failure"
# Pictures of other hosts are shown as links.
SHOWCASE_HOSTS = hosts("SHOWCASE_HOSTS", default=["raw.githubusercontent.com"])

_origins = origins(f"{PREFIX}CORS_ALLOWED_ORIGINS", words=("*", "null"))
CORS_ALLOW_ALL_ORIGINS = "*" in _origins
CORS_ALLOWED_ORIGINS = [origin for origin in _origins if origin != "*"]
CORS_ALLOW_CREDENTIALS = True
CORS_ALLOW_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS")
CORS_ALLOW_HEADERS = (*default_headers, "apikey")
CORS_EXPOSE_HEADERS = ("ETag", "Location", "X-Model-Reference-Revision")
CORS_PREFLIGHT_MAX_AGE = 600

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "references.api.negotiation.OneFormat",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "config.errors.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "UNICODE_JSON": True,
    "COMPACT_JSON": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Horde Model Reference API",
    "DESCRIPTION": "Which generative models the AI-Horde knows, where their files are and what they hash to.",
    "VERSION": "0.1.0",
    "OAS_VERSION": "3.1.0",
    "DEFAULT_GENERATOR_CLASS": "config.openapi.ApiSchemaGenerator",
    "POSTPROCESSING_HOOKS": [],
    "SCHEMA_PATH_PREFIX": "/api",
    "SCHEMA_PATH_PREFIX_TRIM": True,
    "SORT_OPERATION_PARAMETERS": False,
    "SERVERS": [{"url": "/api"}],
    "TAGS": [
        {"name": "v2", "description": "Records, and proposals to change them."},
        {"name": "search", "description": "Records that match filters, and those most used."},
        {"name": "metadata", "description": "When the categories last changed."},
        {"name": "text_utils", "description": "Names of text models: parts, groups, aliases and families."},
        {"name": "pending_queue", "description": "Proposals: their review and how they are carried out."},
        {"name": "audit", "description": "What was proposed, decided and carried out, and by whom."},
        {"name": "statistics", "description": "Categories in figures, with their use on the AI-Horde."},
        {"name": "deletion-risk", "description": "Which models may be on their way out, and why."},
        {"name": "user", "description": "What a key is allowed to do."},
        {"name": "v1", "description": "The legacy format, as older workers know it."},
        {"name": "default", "description": "The service itself."},
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    # Without an address no document is sent to the validator of Swagger's makers.
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": None},
    "REDOC_DIST": "SIDECAR",
}

# Logging ------------------------------------------------------------------------------------------

LOG_FORMAT = choice("LOG_FORMAT", default=LogFormat.PLAIN)
LOGGING = logging_config(LOG_FORMAT, choice("LOG_LEVEL", default=LogLevel.INFO))
# One line for each request that reaches Django. Whole categories, single records and what was answered lately do not:
# the server in front sees them all.
ACCESS_LOG = boolean("ACCESS_LOG", default=False)

if not DEBUG and "*" in ALLOWED_HOSTS and not text("SECRET_KEY"):
    raise ImproperlyConfigured("SECRET_KEY must be set where ALLOWED_HOSTS is open to every name.")
