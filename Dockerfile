FROM python:3.13 AS build
WORKDIR /src
COPY . .
RUN python -m venv /opt/adc && /opt/adc/bin/pip install --no-cache-dir ".[waf]"

FROM python:3.13-slim
RUN useradd --system --no-create-home --uid 10001 adc
COPY --from=build /opt/adc /opt/adc
COPY config/container.yaml /etc/adc/adc.yaml
ENV PATH=/opt/adc/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER adc
EXPOSE 8080 9901
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9901/healthz', timeout=2)"]
ENTRYPOINT ["adc"]
CMD ["run", "/etc/adc/adc.yaml"]
