"""From paths in the document to sections and fields of the model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

from media_events_kit.infra.documents.yaml_document import Path, has_member


def sections_at(model: type[BaseModel], path: Sequence[str | int], value: Any) -> list[type[BaseModel]]:
    """The sections that `path` may lead to from `model`; in a union the one with the `type` of `value`."""
    annotations: list[Any] = [model]
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
        annotations = [inner for annotation in annotations for inner in _inner(annotation, step)]
        annotations = [leaf for annotation in annotations for leaf in _leaves(annotation)]
        chosen = value.get("type") if isinstance(value, dict) else None
        tagged = [section for section in annotations if _is_section(section) and chosen in _tags(section)]
        annotations = tagged or annotations
    return [section for section in annotations if _is_section(section)]


def fields_at(model: type[BaseModel], path: Sequence[str | int], value: Any) -> set[str]:
    """The keys that the section at `path` may have."""
    return {name for section in sections_at(model, path, value) for name in section.model_fields}


def description_of(model: type[BaseModel], path: Sequence[str | int], value: Any) -> str | None:
    """The model's description of the field at `path`, if it has one."""
    if not path or not isinstance(path[-1], str):
        return None
    for section in sections_at(model, path[:-1], value):
        field = section.model_fields.get(path[-1])
        if field is not None and field.description:
            return field.description
    return None


def real_path(value: Any, location: Sequence[str | int]) -> Path:
    """A pydantic error's location without pydantic's additions: tags of unions, `[key]`."""
    path: list[str | int] = []
    for index, step in enumerate(location):
        last = index == len(location) - 1
        if has_member(value, step):
            value = value[step]
        elif not last or step == "[key]" or not isinstance(value, dict) or step == value.get("type"):
            continue
        path.append(step)
    return tuple(path)


def _is_section(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _leaves(annotation: Any) -> Iterator[Any]:
    """The annotation without `Annotated`, and a union's members one by one."""
    origin = get_origin(annotation)
    if origin in (Union, UnionType):
        for member in get_args(annotation):
            yield from _leaves(member)
    elif hasattr(annotation, "__metadata__"):
        yield from _leaves(get_args(annotation)[0])
    else:
        yield annotation


def _inner(annotation: Any, step: str | int) -> Iterator[Any]:
    if _is_section(annotation):
        field = annotation.model_fields.get(step)
        if field is not None:
            yield field.annotation
    elif get_origin(annotation) is dict and isinstance(step, str):
        yield get_args(annotation)[1]
    elif get_origin(annotation) is list and isinstance(step, int):
        yield get_args(annotation)[0]


def _tags(section: type[BaseModel]) -> tuple[Any, ...]:
    field = section.model_fields.get("type")
    return get_args(field.annotation) if field is not None else ()
