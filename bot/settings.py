"""How a setting is declared: its variable, what it is for and what it expects, beside the field it fills.

Hides pydantic's error report: a wrong value becomes one sentence that names the variable and says what is
expected. Values of secrets never stand in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError


class SettingsError(Exception):
    """One or more variables have wrong values; the message has a line for each."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable. `default` and `expects` are words for people; `group` is the part it belongs to."""

    name: str
    group: str
    default: str
    what: str
    expects: str
    secret: bool


class Group(BaseModel):
    """Settings of one part. Fields are declared with `var`; each is filled from its variable."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True, allow_inf_nan=False
    )


_G = TypeVar("_G", bound=Group)


def var(name: str, default: Any, what: str, expects: str, **more: Any) -> Any:
    """A field filled from the variable `name`.

    `shown` is how the default reads where it is worked out at start; `secret` marks values that are not shown
    though the field is no SecretStr; all else goes to pydantic's Field (ge, le, default_factory ...).
    """
    extra = {"expects": expects, "shown": more.pop("shown", None), "secret": more.pop("secret", None)}
    if "default_factory" in more:
        return Field(validation_alias=name, description=what, json_schema_extra=extra, **more)
    return Field(default, validation_alias=name, description=what, json_schema_extra=extra, **more)


def variables(group: str, model: type[Group]) -> Iterator[Variable]:
    """The variables of a group, in the order they are declared."""
    for field in model.model_fields.values():
        extra = cast("dict[str, Any]", field.json_schema_extra)
        secret = "SecretStr" in str(field.annotation) if extra["secret"] is None else bool(extra["secret"])
        shown = extra["shown"]
        yield Variable(
            name=str(field.validation_alias),
            group=group,
            default=_words(field.default) if shown is None else str(shown),
            what=field.description or "",
            expects=str(extra["expects"]),
            secret=secret,
        )


def fill(group: str, model: type[_G], environ: Mapping[str, str]) -> tuple[_G | None, list[str]]:
    """The group from those variables that are set and not blank, or a sentence for each wrong one."""
    known = {variable.name: variable for variable in variables(group, model)}
    given = {name: environ[name].strip() for name in known if environ.get(name, "").strip()}
    try:
        return model.model_validate(given), []
    except ValidationError as error:
        return None, [_explain(known, given, dict(item)) for item in error.errors(include_url=False)]


def secret_values(groups: tuple[Group, ...]) -> Iterator[str]:
    """Every secret among the values."""
    for group in groups:
        for name in type(group).model_fields:
            value: object = getattr(group, name)
            if isinstance(value, SecretStr) and value.get_secret_value():
                yield from _secret_parts(value.get_secret_value())


def _secret_parts(value: str) -> Iterator[str]:
    """The value, or of a URL its password, as written and as meant; several with commas between one by one too."""
    if "://" not in value:
        yield value
        yield from (part.strip() for part in value.split(",") if "," in value)
        return
    try:
        password = urlsplit(value).password
    except ValueError:
        yield value
        return
    if password:
        yield from {value, password, unquote(password)}


def _explain(known: Mapping[str, Variable], given: Mapping[str, str], item: Mapping[str, Any]) -> str:
    """One pydantic error as a sentence."""
    where = tuple(item["loc"])
    variable = known.get(str(where[0])) if where else None
    if variable is None:
        return str(item["msg"]).removeprefix("Value error, ")
    value = "its value" if variable.secret else f"{given.get(variable.name, '')[:80]!r}"
    return f"{variable.name}: {value} is not {variable.expects}"


def _words(value: object) -> str:
    """A default as a person would type it."""
    match value:
        case None | "" | ():
            return ""
        case bool():
            return str(value).lower()
        case SecretStr():
            return value.get_secret_value()
        case _:
            return str(value)
