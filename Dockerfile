# syntax=docker/dockerfile:1
# The service as an image: nobody's user, a file system that may be read-only, data in /data.
FROM python:3.12-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app
RUN python -m venv /venv
COPY pyproject.toml README.md LICENSE ./
# Installed before the code is copied, so that a change of the code leaves this layer as it is.
RUN mkdir config references moderation \
    && touch config/__init__.py references/__init__.py moderation/__init__.py \
    && /venv/bin/pip install --editable ".[postgres,redis,github]"
COPY manage.py ./
COPY config ./config
COPY references ./references
COPY moderation ./moderation
COPY templates ./templates
COPY deploy/healthy.py ./deploy/healthy.py
RUN /venv/bin/python -m compileall -q /app

FROM python:3.12-slim
LABEL org.opencontainers.image.title="Horde Model Reference" \
      org.opencontainers.image.licenses="AGPL-3.0-or-later"
RUN groupadd --gid 10001 reference \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin reference \
    && install --directory --owner=10001 --group=10001 /data
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    AIWORKER_CACHE_HOME=/data \
    LOG_FORMAT=json
USER 10001:10001
VOLUME /data
EXPOSE 19800
# manage.py stops its workers on the signal that `docker stop` sends.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["python", "/app/deploy/healthy.py"]
ENTRYPOINT ["python", "manage.py"]
CMD ["serve", "--host", "0.0.0.0", "--port", "19800"]
