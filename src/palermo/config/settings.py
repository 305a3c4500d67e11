"""Django settings of one node, from its home folder (``PALERMO_HOME``) and the environment.

A secret is given as ``X`` or as ``X_FILE``, a file that holds it. There is no default secret key.
"""

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from palermo.config import node_file


def _secret(name: str, default_file: Path | None = None) -> str:
    if value := os.environ.get(name):
        return value
    file = os.environ.get(f"{name}_FILE")
    path = Path(file) if file else default_file
    if path is not None and path.is_file():
        return path.read_text("utf-8").strip()
    return ""


if "PALERMO_HOME" not in os.environ:
    raise ImproperlyConfigured("Set PALERMO_HOME to a folder made by `palermo node init`.")
PALERMO_HOME = Path(os.environ["PALERMO_HOME"]).resolve()
try:
    NODE = node_file.read(PALERMO_HOME)
except node_file.NodeFileError as error:
    raise ImproperlyConfigured(str(error)) from error

SECRET_KEY = _secret("PALERMO_SECRET_KEY", PALERMO_HOME / node_file.SECRET_KEY)
PALERMO_KEY_PASSPHRASE = _secret("PALERMO_KEY_PASSPHRASE")
DEBUG = False
ALLOWED_HOSTS = list(NODE.hosts)
PALERMO_AUTHORITY = NODE.authority
PALERMO_TIME_STAMPS = NODE.time_stamps

# --- apps -----------------------------------------------------------------------------------
_ROOMS = ("directory", "office", "ledger", "exchange", "holdings", "cases", "matching", "evidence", "requests")
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    *(f"palermo.node.{room}" for room in _ROOMS),
    "palermo.web",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "palermo.web.access.SignedInMiddleware",
    "palermo.web.errors.NodeErrorMiddleware",
]
ROOT_URLCONF = "palermo.config.urls"
WSGI_APPLICATION = "palermo.config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "palermo.web.navigation.surroundings",
            ]
        },
    }
]

FORM_RENDERER = "palermo.web.forms.rendering.Renderer"

# --- database -------------------------------------------------------------------------------


def _postgresql(url: str) -> dict[str, object]:
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql"):
        raise ImproperlyConfigured("DATABASE_URL must be postgresql://USER:PASSWORD@HOST:PORT/NAME")
    options = dict(pair.split("=", 1) for pair in parts.query.split("&") if "=" in pair)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(options.pop("host", parts.hostname or "")),
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }


def _sqlite(path: Path) -> dict[str, object]:
    # FULL: a commit that was acknowledged survives a power cut. IMMEDIATE: two writers queue instead of failing.
    pragmas = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA busy_timeout=20000;"
    # What is forgotten is overwritten with zeros, and the journal is cut when it starts again.
    pragmas += " PRAGMA secure_delete=ON; PRAGMA journal_size_limit=0;"
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20, "init_command": pragmas},
        "CONN_MAX_AGE": 60,
    }


_database_url = _secret("DATABASE_URL", PALERMO_HOME / node_file.DATABASE_URL)
DATABASES = {"default": _postgresql(_database_url) if _database_url else _sqlite(PALERMO_HOME / "db.sqlite3")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- people ---------------------------------------------------------------------------------
AUTH_USER_MODEL = "office.Officer"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/sign-in/"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_ADAPTER = "palermo.web.sign_in.AccountAdapter"
ACCOUNT_RATE_LIMITS = {"login_failed": "10/m/ip,5/5m/key"}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_ADAPTER = "palermo.web.second_factor.Adapter"
MFA_TOTP_TOLERANCE = 1  # a code typed as it changes, or a telephone whose clock is half a minute off
MFA_TOTP_ISSUER = f"Palermo {NODE.authority}"
SESSION_COOKIE_AGE = 8 * 60 * 60
SESSION_EXPIRE_AT_BROWSER_CLOSE = True

# --- the browser's safeguards ---------------------------------------------------------------
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = NODE.https
# Nodes on one machine differ by port only, and cookies do not: each authority's have names of their own.
SESSION_COOKIE_NAME = f"palermo_{NODE.authority.lower()}_session"
CSRF_COOKIE_NAME = f"palermo_{NODE.authority.lower()}_csrf"
SECURE_SSL_REDIRECT = False
SECURE_HSTS_SECONDS = 31_536_000 if NODE.https else 0
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if NODE.https else None
CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in NODE.hosts] if NODE.https else []
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "palermo.web.errors.csrf_failure"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}

# --- language, time, files ------------------------------------------------------------------
LANGUAGE_CODE = NODE.language
# Only languages in which every text of a page exists: half a page in another language helps nobody.
LANGUAGES = [("en", "English")]
USE_I18N = True
USE_TZ = True
TIME_ZONE = NODE.time_zone
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
# Vite puts a digest of the content into these names: a browser may keep them for ever.
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/static/dist/assets/.+-[\w-]{8}\.(js|css)$"
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 2**20
FILE_UPLOAD_MAX_MEMORY_SIZE = 2**20
# In bytes: the largest file that travels within its message, and the pieces of those that travel beside it (0: as large
# as a piece may be).
PALERMO_INLINE_BYTES = int(os.environ.get("PALERMO_INLINE_BYTES", 24 * 2**20))
PALERMO_PIECE_BYTES = int(os.environ.get("PALERMO_PIECE_BYTES", 0))
FILE_UPLOAD_TEMP_DIR = PALERMO_HOME / node_file.UPLOADS  # never the machine's common temporary folder

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": os.environ.get("PALERMO_LOG_LEVEL", "WARNING")},
}
