"""The neutral vocabulary of event types, and what becomes of a type that a specification does not translate.

Rules match neutral types of every partner. So no partner can send one by writing it as its own: it becomes
``native.<partner>.<type>``, unless the specification names it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from media_events.partners.specification import PartnerSpecification

NATIVE: Final = "native."

VOCABULARY: Final[dict[str, str]] = {
    # assets: titles, clips and programmes
    "asset.created": "an asset is there, its media maybe not yet",
    "asset.ready": "an asset can be used",
    "asset.failed": "an asset could not be made",
    "asset.updated": "something about an asset changed",
    "asset.versioned": "an asset has a new version",
    "asset.published": "an asset is public",
    "asset.reviewed": "an asset's review status changed",
    "asset.copied": "an asset was copied",
    "asset.deleted": "an asset was deleted",
    "asset.restored": "a deleted asset is back",
    "asset.purged": "an asset is gone for good",
    "metadata.updated": "an asset's metadata changed",
    # the parts of an asset
    "upload.created": "an upload was announced",
    "upload.completed": "an upload is complete",
    "upload.cancelled": "an upload was called off",
    "upload.failed": "an upload failed",
    "transfer.failed": "files could not be moved to where they belong",
    "file.created": "a file of an asset is there",
    "file.updated": "a file of an asset changed",
    "file.ready": "a file of an asset can be used",
    "file.failed": "a file of an asset could not be made",
    "file.deleted": "a file of an asset was deleted",
    "format.created": "a format of an asset is there",
    "format.updated": "a format of an asset changed",
    "format.deleted": "a format of an asset was deleted",
    "proxy.created": "a proxy of an asset is there",
    "proxy.updated": "a proxy of an asset changed",
    "master.ready": "an asset's master is kept",
    "master.failed": "an asset's master could not be kept",
    "rendition.ready": "one rendition of an asset can be used",
    "rendition.failed": "one rendition of an asset could not be made",
    "rendition.cancelled": "one rendition of an asset was called off",
    "track.ready": "a track (text, audio) can be used",
    "track.failed": "a track (text, audio) could not be made",
    # encoding, packaging, quality control
    "encode.queued": "an encode waits, or changed queues",
    "encode.started": "an encode runs",
    "encode.progressed": "an encode is further",
    "encode.warned": "an encode runs, with a warning",
    "encode.completed": "an encode is done",
    "encode.cancelled": "an encode was called off",
    "encode.failed": "an encode failed",
    "package.completed": "manifests are written",
    "package.failed": "manifests could not be written",
    "harvest.completed": "a clip was cut from a live stream",
    "harvest.failed": "a clip could not be cut from a live stream",
    "qc.passed": "quality control found nothing",
    "qc.warned": "quality control found something to look at",
    "qc.failed": "quality control rejected it",
    "qc.cancelled": "quality control was called off",
    "qc.errored": "quality control could not judge",
    "job.created": "a job waits",
    "job.started": "a job runs",
    "job.progressed": "a job is further",
    "job.completed": "a job is done",
    "job.cancelled": "a job was called off",
    "job.failed": "a job failed",
    "drm.alert": "a key provider has trouble",
    # live
    "live.created": "a channel or session is there",
    "live.starting": "a channel is about to run",
    "live.started": "a channel is on air",
    "live.interrupted": "a channel lost its input for now",
    "live.resumed": "a channel has its input again",
    "live.stopping": "a channel is about to stop",
    "live.stopped": "a channel is off air",
    "live.failed": "a stream ended in an error",
    "live.updated": "a channel's settings changed",
    "live.deleted": "a channel is gone",
    "live.alert.raised": "a channel has an alert",
    "live.alert.cleared": "a channel's alert is over",
    "live.input.alert": "a channel's input has trouble",
    "live.input.changed": "a channel switched its input",
    "live.limit.reached": "a limit of the service is reached",
    "recording.started": "a recording runs",
    "recording.completed": "a recording is kept",
    "recording.failed": "a recording failed",
    "stage.updated": "a live stage changed",
    "composition.updated": "a live composition changed",
    # people
    "review.created": "a review was opened",
    "review.requested": "an approval was asked for",
    "review.updated": "an approval was given, or changed",
    "share.created": "something was shared",
    "comment.created": "somebody commented",
    "comment.updated": "a comment changed",
    "comment.completed": "a comment was dealt with",
    "comment.reopened": "a comment is open again",
    "comment.deleted": "a comment was deleted",
    "action.requested": "somebody pressed a button for us (a custom action)",
    # projects, folders and shots
    "project.created": "a project is there",
    "project.updated": "a project changed",
    "project.deleted": "a project was deleted",
    "folder.created": "a folder is there",
    "folder.updated": "a folder changed",
    "folder.deleted": "a folder was deleted",
    "collection.updated": "what is in a collection changed",
    "shot.created": "a shot is there",
    "shot.updated": "a shot changed",
    "shot.deleted": "a shot was retired",
    "version.created": "a version is there to be looked at",
    "version.updated": "a version changed",
    "version.deleted": "a version was retired",
    "task.created": "a task is there",
    "task.updated": "a task changed",
    "task.deleted": "a task was retired",
    # storage
    "object.created": "an object is in a bucket",
    "object.deleted": "an object was deleted from a bucket",
    "object.moved": "an object changed its storage class or tier",
    "object.restore.started": "an archived object is being brought back",
    "object.restored": "an archived object is back",
    "object.restore.expired": "a restored object is archived again",
    "object.tagged": "an object has new tags",
    "object.untagged": "an object lost tags",
    "object.permissions.updated": "who may read an object changed",
    # the pipeline around it
    "build.completed": "a build is done, well or not",
    "code.pushed": "commits were pushed",
    "code.released": "a release was published",
    "webhook.tested": "a partner tried its webhook out",
}
"""Types have the form ``<thing>.<event>``, the second word in the past tense or the state that was reached."""


def untranslated(spec: PartnerSpecification, partner: str, native: str) -> str:
    """The type of an event of ``partner`` whose ``native`` type has no row in the specification's ``types``."""
    is_another_s = native in VOCABULARY or native.startswith(NATIVE)
    if not is_another_s or spec.type.names(native):
        return native
    return f"{NATIVE}{partner}.{native}"
