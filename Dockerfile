# The AOS workers. The image holds no settings: the environment gives them.
FROM python:3.12-slim AS build
RUN pip install --no-cache-dir uv==0.13.9
WORKDIR /app
# The user of the image may not write there later: without it each start would compile all that it imports.
ENV UV_COMPILE_BYTECODE=1
COPY pyproject.toml uv.lock README.md LICENSE ./
RUN uv sync --frozen --no-dev --no-install-project
COPY sdk sdk
COPY workflows workflows
COPY activities activities
COPY workers workers
RUN uv sync --frozen --no-dev --no-editable

FROM python:3.12-slim
RUN useradd --system --uid 10001 --create-home aos && install -d -o aos -g aos /var/lib/aos
COPY --from=build /app/.venv /app/.venv
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 AOS_HOME=/var/lib/aos
USER aos
VOLUME /var/lib/aos
ENTRYPOINT ["aos-worker"]
