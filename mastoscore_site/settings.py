"""Settings of the site. What differs between places comes from the environment or `.env`; see `.env.example`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import environ

from mastoscore_site.api_settings import REST_FRAMEWORK as REST_FRAMEWORK
from mastoscore_site.api_settings import SPECTACULAR_SETTINGS as SPECTACULAR_SETTINGS
from mastoscore_site.look import UNFOLD as UNFOLD
from mastoscore_site.secret_key import load_or_make_secret_key

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")

# --- places ---------------------------------------------------------------------------------------------------------
DATA_DIR = Path(env.str("MASTOSCORE_DATA_DIR", default="") or BASE_DIR / "data").expanduser().absolute()
SECRET_KEY = env.str("SECRET_KEY", default="") or load_or_make_secret_key(DATA_DIR / "secret.key")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])

# --- who may come ---------------------------------------------------------------------------------------------------
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "mastoscore_site.backstage.BackstageConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_q",
    "mastoscore_site",
    "jobs",
    "events",
    "pipeline",
    "feeds",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "mastoscore_site.security.ContentSecurityPolicy",
    "mastoscore_site.security.ForgetAtSignOut",
    "mastoscore_site.security.BoundedBodies",
    "mastoscore_site.api_middleware.ApiAnswers",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "mastoscore_site.urls"
WSGI_APPLICATION = "mastoscore_site.wsgi.application"
LOGIN_URL = "login"  # for everybody; the backstage has a door of its own, for staff
LOGIN_REDIRECT_URL = "admin:index"
LOGOUT_REDIRECT_URL = "login"

TEMPLATES: list[dict[str, Any]] = [
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

# --- database -------------------------------------------------------------------------------------------------------
# SQLite: a deferred transaction that reads and then writes fails at once when another writer was first, whatever the
# time-out; IMMEDIATE waits its turn. Keep transactions short, and no network inside them.
DATABASES = {"default": env.db_url("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'mastoscore.sqlite3'}")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        # The last one in pages of 4 KB: many small transactions change the same pages, which so move but once.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-20000; "
        "PRAGMA wal_autocheckpoint=4000;",
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL", default="")
CACHES = {
    "default": (
        {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
        if REDIS_URL
        else {
            "BACKEND": "mastoscore_site.cache.SharedDatabaseCache",
            "LOCATION": "mastoscore_cache",
            "OPTIONS": {"MAX_ENTRIES": 20_000},  # rules of robots.txt of every server met
        }
    ),
    # django-q2 notes its state twice a second; nobody reads it, so it must not become writes to the database.
    "queue": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "queue"},
}

# --- work in the background -----------------------------------------------------------------------------------------
WORKERS = env.int("MASTOSCORE_WORKERS", default=2)
JOBS_KEEP_DAYS = env.int("MASTOSCORE_JOBS_KEEP_DAYS", default=90)
# django-q2 only wakes workers; leases, attempts and time limits are ours (jobs/). Its own clocks must never fire
# first: a task it kills inside a C call or a thread pool is delivered again for ever.
Q_CLUSTER: dict[str, Any] = {
    "name": "mastoscore",
    "workers": WORKERS,
    "queue_limit": WORKERS,
    "bulk": 1,
    "timeout": 21_000,
    "retry": 21_600,
    "max_attempts": 1,
    "ack_failures": True,
    "catch_up": False,
    "save_limit": -1,
    "poll": 0.2,
    "recycle": 100,
    "max_rss": 600_000,
    "label": "Queue",
    "cache": "queue",
    **({"redis": REDIS_URL} if REDIS_URL else {"orm": "default"}),
}
# How often a running job shows that it lives, and after how long without that it counts as dead.
JOBS_PULSE_SECONDS = 5.0
JOBS_DEAD_AFTER_SECONDS = 30.0
JOBS_MAX_ATTEMPTS = 3
# How often a running job looks whether it shall stop; how long one that does not listen is waited for.
JOBS_POLL_SECONDS = 0.5
JOBS_CANCEL_GRACE_SECONDS = 60.0
JOBS_RELEASE_GRACE_SECONDS = 4.0
# How often dead jobs are looked for, and after how long a waiting job is announced to the workers again.
JOBS_RECOVERY_SECONDS = 60.0
JOBS_WAKE_AFTER_SECONDS = 60.0
# How long a worker that is being stopped waits for its processes, and how long it may show no sign of life.
WORKER_STOP_SECONDS = 7.0
WORKER_SILENT_SECONDS = 120.0

# --- the network ----------------------------------------------------------------------------------------------------
MASTOSCORE_PRIVATE_HOSTS = env.list("MASTOSCORE_PRIVATE_HOSTS", default=[])
MASTOSCORE_CONTACT = env.str("MASTOSCORE_CONTACT", default="")
# Processes beside the worker that ask servers, once there are more than a few; 0: the worker asks all of them itself.
MASTOSCORE_FETCH_PROCESSES = env.int("MASTOSCORE_FETCH_PROCESSES", default=2 if (os.cpu_count() or 1) > 1 else 0)
# Servers asked at the same time. More wait for the processor rather than for the network, see docs/bench.md.
MASTOSCORE_FETCH_THREADS = env.int("MASTOSCORE_FETCH_THREADS", default=128 if MASTOSCORE_FETCH_PROCESSES else 48)
# Servers asked in one crawl; hosts named beyond that are not looked for, and the summary says so.
MASTOSCORE_MAX_SERVERS = env.int("MASTOSCORE_MAX_SERVERS", default=5000)
# Most requests and megabytes, of one server and in one crawl; what is cut short by it says so.
MASTOSCORE_MAX_REQUESTS_PER_SERVER = env.int("MASTOSCORE_MAX_REQUESTS_PER_SERVER", default=3000)
MASTOSCORE_MAX_MB_PER_SERVER = env.int("MASTOSCORE_MAX_MB_PER_SERVER", default=500)
MASTOSCORE_MAX_REQUESTS = env.int("MASTOSCORE_MAX_REQUESTS", default=200_000)
MASTOSCORE_MAX_MB = env.int("MASTOSCORE_MAX_MB", default=20_000)
# Other workers that may join a large crawl while they have nothing else to do.
MASTOSCORE_FETCH_HELPERS = env.int("MASTOSCORE_FETCH_HELPERS", default=1)
# Seconds for one request as a whole, and for the next bytes of its answer.
MASTOSCORE_REQUEST_SECONDS = env.float("MASTOSCORE_REQUEST_SECONDS", default=40)
MASTOSCORE_READ_SECONDS = env.float("MASTOSCORE_READ_SECONDS", default=20)
# Seconds before a request that failed in passing (429, 5xx, no connection) is tried again: one attempt per number.
MASTOSCORE_RETRY_PAUSES = env.list("MASTOSCORE_RETRY_PAUSES", cast=float, default=[1, 4, 15, 60])
PROJECT_URL = env.str("MASTOSCORE_PROJECT_URL", default="")
# How many feeds are asked at the same time (one per host), and the pause before the next one of a host.
MASTOSCORE_FEED_THREADS = env.int("MASTOSCORE_FEED_THREADS", default=16)
MASTOSCORE_FEED_HOST_PAUSE_SECONDS = env.float("MASTOSCORE_FEED_HOST_PAUSE_SECONDS", default=1.0)
# How long the host of a feed may take to answer in full.
MASTOSCORE_FEED_SECONDS = env.float("MASTOSCORE_FEED_SECONDS", default=20.0)
# Many blogs still have no certificate; what they publish is public anyway.
MASTOSCORE_FEEDS_OVER_HTTP = env.bool("MASTOSCORE_FEEDS_OVER_HTTP", default=True)
# How long a server may work on a picture of the thread before we give up for this time.
MASTOSCORE_MEDIA_SECONDS = env.float("MASTOSCORE_MEDIA_SECONDS", default=120)

# Summaries: an OpenAI-compatible endpoint (the part before /chat/completions); without it the built-in summariser.
SUMMARY_API_URL = env.str("SUMMARY_API_URL", default="").rstrip("/")
SUMMARY_API_KEY = env.str("SUMMARY_API_KEY", default="")
SUMMARY_MODEL = env.str("SUMMARY_MODEL", default="")
SUMMARY_MAX_INPUT_CHARS = env.int("SUMMARY_MAX_INPUT_CHARS", default=24_000)
SUMMARY_MAX_OUTPUT_TOKENS = env.int("SUMMARY_MAX_OUTPUT_TOKENS", default=500)
SUMMARY_SECONDS = env.float("SUMMARY_SECONDS", default=60)
# What everybody together may ask of it in a day (UTC).
SUMMARY_CALLS_PER_DAY = env.int("SUMMARY_CALLS_PER_DAY", default=300)
SUMMARY_TOKENS_PER_DAY = env.int("SUMMARY_TOKENS_PER_DAY", default=1_000_000)
# Seconds before a job asks it again after a failure in passing: one attempt per number.
SUMMARY_RETRY_PAUSES = [10.0, 30.0]

# Where Instapaper takes addresses; another service that speaks the same may stand here.
INSTAPAPER_API_URL = env.str("INSTAPAPER_API_URL", default="https://www.instapaper.com/api").rstrip("/")

TMDB_API_KEY = env.str("TMDB_API_KEY", default="")
TMDB_API_URL = env.str("TMDB_API_URL", default="https://api.themoviedb.org/3")
TMDB_IMAGE_URL = env.str("TMDB_IMAGE_URL", default="https://image.tmdb.org/t/p")

# The folder of the Hugo site's content that `blog --copy-files` writes page bundles into; empty: nowhere.
MASTOSCORE_BLOG_DIR = env.str("MASTOSCORE_BLOG_DIR", default="")
# Where readers reach this site, for links in pages and thread; empty: no such links.
MASTOSCORE_SITE_URL = env.str("MASTOSCORE_SITE_URL", default="").rstrip("/")
# Where readers reach the Hugo site, for the blog link in the thread.
MASTOSCORE_BLOG_URL = env.str("MASTOSCORE_BLOG_URL", default="").rstrip("/")

# --- the API and those who watch over the site ----------------------------------------------------------------------
# Calls per minute of a user, or of an address that is not signed in; each scope has an allowance of its own.
API_RATES = {
    "general": env.int("API_RATE_GENERAL", default=60),
    "jobs": env.int("API_RATE_JOBS", default=30),
    "metrics": env.int("API_RATE_METRICS", default=120),
    "progress": env.int("API_RATE_PROGRESS", default=300),
    "sources": env.int("API_RATE_SOURCES", default=60),
    "summaries": env.int("API_RATE_SUMMARIES", default=10),
    "sync": env.int("API_RATE_SYNC", default=300),
}
API_MAX_BODY_BYTES = env.int("API_MAX_BODY_BYTES", default=2_500_000)
API_CORS_ORIGINS = env.list("API_CORS_ORIGINS", default=[])
# How many proxies of our own stand in front, each adding the address it saw to X-Forwarded-For.
PROXIES = env.int("PROXIES", default=0)
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
METRICS_ALLOWED = env.list("METRICS_ALLOWED", default=[])
READY_MAX_QUEUE_SECONDS = env.int("READY_MAX_QUEUE_SECONDS", default=3600)
READY_MIN_DISK_MB = env.int("READY_MIN_DISK_MB", default=200)

# --- look and language ----------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

# --- security -------------------------------------------------------------------------------------------------------
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
if env.bool("HTTPS", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=30 * 24 * 3600)
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^healthz$"]  # asked for by supervisors beside the proxy

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="WARNING")},
    "loggers": {"urllib3": {"level": "INFO"}},  # its debug lines show whole addresses, and some hold a key
}
