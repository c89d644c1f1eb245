"""The user's functions that are steps of a transform: in Lambda, or in this process."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from media_events.adapters.aws_lambda.invoke import LambdaTarget
from media_events.core.configuration import ConfigurationError
from media_events.transform.ports import PythonFunction

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

Clients = Callable[[str, float], "LambdaClient"]
"""A client for a region and the seconds that the function may take; it never retries."""


class LambdaFunctions:
    """Implements ``transform.ports.Functions``."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def answer(self, function_arn: str, payload: str, *, timeout_seconds: float) -> bytes:
        """Invoke a function; returns its answer."""
        return LambdaTarget(self._clients(function_arn.split(":")[3], timeout_seconds)).ask(function_arn, payload)


@functools.cache
def load(name: str) -> PythonFunction:
    """The function ``module:function`` from the package or a layer.

    Raises:
        ConfigurationError: it does not exist, or its module can't be imported.
    """
    module_name, _, function_name = name.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        missing = error.name or module_name
        whose = "" if missing == module_name else f", which {module_name} needs"
        raise ConfigurationError(
            [f"{name}: there is no module {missing}{whose}: add a layer that has it under python/"]
        ) from error
    except (Exception, SystemExit) as error:
        raise ConfigurationError([f"{name}: importing {module_name} raised {type(error).__name__}: {error}"]) from error
    function = getattr(module, function_name, None)
    if not callable(function):
        raise ConfigurationError([f"{name}: the module {module_name} has no function {function_name}"])
    user_function: PythonFunction = function
    return user_function
