"""What the constructs of all modules have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, cast

from media_events_kit.infra.stacks.cdk import Construct, Fn, IResolvable, TerraformHclModule, Token
from media_events_kit.infra.stacks.module_sources import module_source
from media_events_kit.infra.stacks.workflow_stack import stack_folder

Reference: TypeAlias = IResolvable
"""A value that Terraform knows later, such as an output of another module."""


class Module(TerraformHclModule):
    """A Terraform module. Its inputs are the construct's arguments, its outputs the construct's properties."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        module: str,
        inputs: Mapping[str, Any],
        providers: Sequence[Any],
    ) -> None:
        """Call the folder ``module`` with those ``inputs`` that are not ``None``."""
        super().__init__(
            scope,
            construct_id,
            source=module_source(module, None, stack_folder(scope)),
            variables={name: _plain(value) for name, value in inputs.items() if value is not None},
            providers=list(providers) or None,
            # As an asset a module is copied without its surroundings, where it finds the functions' code.
            skip_asset_creation_from_local_modules=True,
        )

    def text(self, output: str) -> str:
        """A reference to an output that is one text."""
        return self.get_string(output)

    def reference(self, output: str) -> Reference:
        """A reference to an output, or by :meth:`at` to a part of it."""
        return cast("Reference", self.get(output))

    def at(self, output: str, *keys: str) -> str:
        """A reference to a text in an output: ``webhooks.at("secret_arns", "mux")``."""
        return Token.as_string(Fn.lookup_nested(self.get(output), list(keys)))


def _plain(value: Any) -> Any:
    """Mappings and sequences as those that jsii knows, without what is ``None``."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value
