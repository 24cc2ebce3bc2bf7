"""The environment of billing_svc."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from runtime.settings import ProcessSettings


class Settings(ProcessSettings):
    # A variable that is set and empty is as good as none.
    model_config = SettingsConfigDict(env_ignore_empty=True)

    postgres_dsn: SecretStr = Field(description="postgresql:// of the database with the schema `billing`")
    billing_environment: Literal["test", "live"] = Field("test", description="whose ids of plans.toml are sold by")
    plans: Path | None = Field(None, description="another plans.toml than the one that ships")

    stripe_secret_key: SecretStr | None = Field(None, validation_alias="STRIPE_SECRET_KEY")
    # Several, separated by commas, while one is replaced.
    stripe_webhook_secret: SecretStr | None = Field(None, validation_alias="STRIPE_WEBHOOK_SECRET")
    stripe_url: str | None = Field(None, description="where Stripe's API is, if not at Stripe: a fake one's URL")

    revenuecat_authorization: SecretStr | None = Field(None, validation_alias="REVENUECAT_WEBHOOK_AUTHORIZATION")

    lemon_squeezy_api_key: SecretStr | None = Field(None, validation_alias="LEMON_SQUEEZY_API_KEY")
    lemon_squeezy_store: str | None = Field(None, validation_alias="LEMON_SQUEEZY_STORE")
    lemon_squeezy_webhook_secret: SecretStr | None = Field(None, validation_alias="LEMON_SQUEEZY_WEBHOOK_SECRET")
    lemon_squeezy_url: str = Field("https://api.lemonsqueezy.com", description="where Lemon Squeezy's API is")

    cryptomus_merchant: str | None = Field(None, validation_alias="CRYPTOMUS_MERCHANT")
    cryptomus_api_key: SecretStr | None = Field(None, validation_alias="CRYPTOMUS_API_KEY")
    cryptomus_url: str = Field("https://api.cryptomus.com", description="where Cryptomus' API is")
    edge_url: str = Field("http://localhost:8080", description="where providers reach this system, for their callbacks")

    @model_validator(mode="after")
    def _complete(self) -> "Settings":
        if self.stripe_secret_key is not None and self.stripe_webhook_secret is None:
            raise ValueError("STRIPE_SECRET_KEY needs STRIPE_WEBHOOK_SECRET beside it, or payments are never noticed")
        if self.billing_environment == "live" and self.stripe_url is not None:
            raise ValueError("SCENEMESH_STRIPE_URL is for the test environment alone")
        return self
