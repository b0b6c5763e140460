# One image for every role: the command says which (docker-compose.yml).
FROM python:3.11-slim-bookworm AS packages
COPY requirements/uv.txt requirements/runtime.txt /requirements/
RUN python -m venv /opt/uv \
    && /opt/uv/bin/pip install --quiet --no-cache-dir --require-hashes -r /requirements/uv.txt \
    && python -m venv --without-pip /opt/bluetel \
    && /opt/uv/bin/uv pip install --quiet --no-cache --compile-bytecode --require-hashes \
        --python /opt/bluetel/bin/python -r /requirements/runtime.txt

FROM python:3.11-slim-bookworm
ENV PATH=/opt/bluetel/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    BLUETEL_DATA_DIR=/data BLUETEL_HOST=0.0.0.0 BLUETEL_PORT=8000
RUN useradd --system --uid 10001 --home-dir /data --create-home bluetel
COPY --from=packages /opt/bluetel /opt/bluetel
COPY manage.py LICENSE /app/
COPY bluetel /app/bluetel
COPY contacts /app/contacts
COPY dialer /app/dialer
COPY forwarding /app/forwarding
COPY presence /app/presence
COPY voicemail /app/voicemail
COPY templates /app/templates
COPY static /app/static
COPY locale /app/locale
WORKDIR /app
USER bluetel
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
ENTRYPOINT ["python", "manage.py"]
CMD ["serve"]
