"""Django's settings. Everything that differs between installations comes from the environment and WEITUO_HOME."""

from __future__ import annotations

import os
from pathlib import Path

from weituo.config import places

_here = places.read()

WEITUO_HOME = _here.home
WEITUO_KEYRING = _here.keyring
WEITUO_TENANCY_KEY = _here.tenancy_key
#: the demonstration shows that its persons are invented and lets its own agencies move the clock
WEITUO_DEMO = os.environ.get("WEITUO_DEMO", "") == "1"
#: wall time of the lender's people; a borrower's own time comes from the contact point
WEITUO_ZONE = os.environ.get("WEITUO_ZONE", "Asia/Shanghai")
#: folders of import profiles; the lender's own come first
WEITUO_PROFILES = [
    Path(os.environ.get("WEITUO_PROFILES", WEITUO_HOME / "profiles")),
    places.PROJECT / "profiles",
]
#: largest file that a page takes; the command line has no such limit
WEITUO_UPLOAD_MB = int(os.environ.get("WEITUO_UPLOAD_MB", "500"))
WEITUO_LENDER = {"zh-hans": "天星金融", "en": "Tianxing Finance"}

SECRET_KEY = _here.django_key
DEBUG = os.environ.get("WEITUO_DEBUG", "") == "1"
ALLOWED_HOSTS = os.environ.get("WEITUO_HOSTS", "localhost,127.0.0.1,testserver").split(",")
ROOT_URLCONF = "weituo.config.urls"
WSGI_APPLICATION = "weituo.config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "identity.User"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "weituo.foundation.tenancy",
    "weituo.foundation.audit",
    "weituo.foundation.vault",
    "weituo.foundation.identity",
    "weituo.foundation.idempotency",
    "weituo.foundation.jobs",
    "weituo.domain.book",
    "weituo.domain.partners",
    "weituo.domain.plans",
    "weituo.domain.placement",
    "weituo.domain.sharing",
    "weituo.domain.contact",
    "weituo.domain.ledger",
    "weituo.domain.tracking",
    "weituo.domain.care",
    "weituo.domain.evaluation",
    "weituo.web.apps.WebConfig",
    "weituo.config.apps.WeituoConfig",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "weituo.web.middleware.RequestIdMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "weituo.web.middleware.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "weituo.web.middleware.DemoClockMiddleware",
    "weituo.web.middleware.PlainTextMiddleware",
    "weituo.web.middleware.AccessMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # before the apps: our sign-in pages replace those of the library
        "DIRS": [str(Path(__file__).resolve().parent.parent / "web" / "templates")],
        "APP_DIRS": False,
        "OPTIONS": {
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    [
                        "django.template.loaders.filesystem.Loader",
                        "django.template.loaders.app_directories.Loader",
                    ],
                )
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "weituo.web.context.house",
            ],
            "builtins": [
                "weituo.web.templatetags.weituo",
                "django.templatetags.i18n",
                "django.templatetags.static",
            ],
        },
    }
]

DATABASES = places.django_databases(_here.database)
DATABASE_ROUTERS = ["weituo.foundation.tenancy.router.TenancyRouter"]

AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_ADAPTER = "weituo.web.signin.AccountAdapter"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
MFA_ADAPTER = "weituo.foundation.identity.second_factor.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Weituo"
MFA_TOTP_TOLERANCE = 1

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LOCALE_PATHS = [str(places.PROJECT / "src" / "weituo" / "locale")]
USE_I18N = True
USE_TZ = True
TIME_ZONE = WEITUO_ZONE

STATIC_URL = "/static/"
STATIC_ROOT = str(WEITUO_HOME / "static")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "weituo.web.assets.Storage"},
}

FILE_UPLOAD_HANDLERS = [
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "weituo.web.uploading.LimitedUpload",
]

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
CSRF_COOKIE_SAMESITE = "Strict"
CSRF_COOKIE_HTTPONLY = True
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "weituo.web.errors.not_from_here"
if os.environ.get("WEITUO_HTTPS", "") == "1":
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = True
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True

CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"stderr": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["stderr"], "level": os.environ.get("WEITUO_LOG", "WARNING")},
}
TEST_RUNNER = "django.test.runner.DiscoverRunner"
