# The bot as a host runs it. Settings come from the environment; the host says PORT.
FROM python:3.13-slim

# slack_sdk wants a home directory when it is imported, and not every engine makes one up. With
# PYTHONPATH, `python -m bot check` works wherever a host's console begins.
ENV HOME=/app PYTHONPATH=/app PYTHONUNBUFFERED=1

WORKDIR /app

# First what changes seldom, so that most builds take it from the cache. Every package is a wheel.
COPY requirements.txt ./
RUN pip install --require-hashes --only-binary :all: --no-cache-dir -r requirements.txt

COPY . .

# By number, so that hosts can see that it is not root; it can write nowhere under /app, so nothing
# is kept in the container by mistake: give DATABASE_URL.
USER 10001:10001

# No HEALTHCHECK: it would start a Python every half minute, and hosts ask /healthz themselves.
CMD ["python", "-m", "bot", "serve"]
