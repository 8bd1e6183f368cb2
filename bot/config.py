"""Settings from the environment, checked once; every mistake is named with what would be right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.errors import ConfigError
from bot.setting_types import (
    AppToken,
    BotToken,
    CrmUrl,
    DatabaseUrl,
    FolderUrl,
    Lower,
    LowerWords,
    PublicFolderUrl,
    Secret,
    UserGroup,
    WebUrl,
    Words,
    end_with_slash,
    find_password,
    is_for_everybody,
)

EPHEMERAL_HOSTS = ("DYNO", "RENDER", "RAILWAY_ENVIRONMENT_ID", "FLY_APP_NAME")
"""Variables by which a process can tell that its disk does not survive a restart."""

EXAMPLES = {
    "SLACK_BOT_TOKEN": "xoxb-… (Slack: your app > OAuth & Permissions)",
    "SLACK_SIGNING_SECRET": "32 hex digits (Slack: your app > Basic Information)",
    "SLACK_APP_TOKEN": "xapp-… (Slack: your app > App-Level Tokens, with connections:write)",
    "SLACK_API_URL": "https://slack.com/api/",
    "LEADSQUARED_URL": "https://api-in21.leadsquared.com",
    "LEADSQUARED_ACCESS_KEY": "u$r0123… (LeadSquared: My Account > Settings > API and Webhooks)",
    "LEADSQUARED_SECRET_KEY": "0123abcd… (beside the access key)",
    "LEADSQUARED_RATE_LIMIT": "25",
    "LEADSQUARED_RATE_PERIOD": "5",
    "LEADSQUARED_RESERVED": "2",
    "LEADSQUARED_TIMEOUT": "10",
    "NOTIFICATION_MAX_BYTES": "2048",
    "SIGN_NOTIFICATIONS": "1",
    "DELIVER_WITHIN": "3600",
    "DATABASE_URL": "postgres://user:password@host/name, or sqlite:///bot.db",
    "ALLOW_EPHEMERAL_SQLITE": "0",
    "KEEP_DAYS": "30",
    "PORT": "3000",
    "PUBLIC_URL": "https://notifier.example.com",
    "ICON_BASE_URL": "https://cdn.example.com/icons/",
    "ADMINS": "U012AB3CD, U045EF6GH",
    "ALLOWED_CHANNELS": "C012AB3CD, C045EF6GH",
    "ALLOWED_USERGROUP": "S012AB3CD",
    "ALLOWED_LINK_HOSTS": "leadsquared.com, example.com",
    "HOURLY_LIMIT": "200",
    "CONFIRM_ABOVE": "5",
    "LOG_LEVEL": "info",
    "METRICS_TOKEN": "0123456789abcdef0123456789abcdef",
}

DEFAULT_DATABASE = "sqlite:///bot.db"


class Settings(BaseSettings):
    """All settings; field names are the environment variables in lower case."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    slack_bot_token: BotToken
    slack_app_token: AppToken | None = None
    slack_signing_secret: Secret | None = Field(default=None, validate_default=True)
    slack_api_url: FolderUrl = "https://slack.com/api/"

    leadsquared_url: CrmUrl = "https://api.leadsquared.com"
    leadsquared_access_key: Secret
    leadsquared_secret_key: Secret
    leadsquared_rate_limit: int = Field(default=25, ge=1, le=1000)
    leadsquared_rate_period: float = Field(default=5.0, gt=0, le=3600, allow_inf_nan=False)
    leadsquared_reserved: int = Field(default=2, ge=0)
    leadsquared_timeout: float = Field(default=10.0, gt=0, le=120, allow_inf_nan=False)

    notification_max_bytes: int = Field(default=2048, ge=64, le=65_536)
    sign_notifications: bool = True
    deliver_within: float = Field(default=3600.0, gt=0, allow_inf_nan=False)

    database_url: DatabaseUrl = DEFAULT_DATABASE
    allow_ephemeral_sqlite: bool = False
    keep_days: int = Field(default=30, ge=1)

    port: int = Field(default=3000, ge=0, le=65_535)
    public_url: WebUrl | None = None
    icon_base_url: PublicFolderUrl | None = None

    admins: Words = ()
    allowed_channels: Words = ()
    allowed_usergroup: UserGroup | None = None
    allowed_link_hosts: LowerWords = ()
    hourly_limit: int = Field(default=200, ge=0)
    confirm_above: int = Field(default=5, ge=0)

    log_level: Annotated[Literal["debug", "info", "warning", "error"], Lower] = "info"
    metrics_token: Secret | None = None

    @field_validator("slack_signing_secret")
    @classmethod
    def _check_way_in(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        """Slack comes in by signed requests, unless an app token, right or wrong, is given."""
        if value is None and info.data.get("slack_app_token", "wrong") is None:
            raise PydanticCustomError("missing", "Field required")
        return value

    @property
    def reserved(self) -> int:
        """Slots kept for interactive work; never all of them."""
        return min(self.leadsquared_reserved, self.leadsquared_rate_limit - 1)

    @property
    def icon_base(self) -> str | None:
        """Where the pictures of presets are: elsewhere, or at this process; None if unknown."""
        if self.icon_base_url:
            return self.icon_base_url
        if self.public_url and is_for_everybody(self.public_url):
            return end_with_slash(self.public_url) + "icons/"
        return None

    @property
    def secrets(self) -> list[str]:
        """What nothing may show, by value."""
        kept = [value for _, value in self if isinstance(value, SecretStr)]
        return [each.get_secret_value() for each in kept] + find_password(self.database_url)

    @property
    def uses_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")


def load_settings(environment: Mapping[str, str]) -> Settings:
    """Return the settings of this process; ConfigError has a line for each mistake."""
    try:
        settings = Settings(**pick_given(environment))
    except ValidationError as exc:
        raise ConfigError(_explain(exc)) from None  # the cause would show the values
    host = next((name for name in EPHEMERAL_HOSTS if environment.get(name)), None)
    if host and settings.uses_sqlite and not settings.allow_ephemeral_sqlite:
        raise ConfigError(
            [
                f"DATABASE_URL: this host ({host} is set) deletes local files at every restart, "
                f"and accepted notifications with them. Example: {EXAMPLES['DATABASE_URL']}. "
                "On a disk that lasts, set ALLOW_EPHEMERAL_SQLITE=1."
            ]
        )
    return settings


def pick_given(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return what an environment has for the fields; an empty value counts as none."""
    given = {name.lower(): value for name, value in environment.items() if value}
    return {name: given[name] for name in Settings.model_fields if name in given}


class _DatabaseSettings(BaseSettings):
    """The one setting that `migrate` needs."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    database_url: DatabaseUrl = DEFAULT_DATABASE


def load_database_url() -> str:
    """Return the database of this process; raises ConfigError."""
    try:
        return _DatabaseSettings().database_url
    except ValidationError as exc:
        raise ConfigError(_explain(exc)) from None


def _explain(exc: ValidationError) -> list[str]:
    lines = []
    for error in exc.errors(include_input=False, include_url=False):
        name = str(error["loc"][0]).upper()
        if error["type"] == "missing":
            problem = "is missing"
        else:
            problem = str(error["msg"]).removeprefix("Value error, ")
            problem = problem[:1].lower() + problem[1:]
        lines.append(f"{name}: {problem}. Example: {EXAMPLES.get(name, '(none)')}")
    return lines
