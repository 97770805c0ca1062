"""Receiving files: what is larger than the house takes is not even written to the disk."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import StopUpload, TemporaryFileUploadHandler
from django.http import HttpRequest
from django.utils.translation import gettext as _

from weituo.foundation.errors import BadInput
from weituo.foundation.files import uploads

TOO_LARGE = "weituo.upload_too_large"


class LimitedUpload(TemporaryFileUploadHandler):
    """Write a file to a temporary one, and stop receiving once it is larger than settings.WEITUO_UPLOAD_MB."""

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Write a part of the file, or stop."""
        if start + len(raw_data) > settings.WEITUO_UPLOAD_MB * 1_000_000:
            if self.request is not None:
                self.request.META[TOO_LARGE] = "1"
            raise StopUpload(connection_reset=False)
        super().receive_data_chunk(raw_data, start)


def check(request: HttpRequest) -> None:
    """Raise `FileTooLarge` for a form whose file was not received; ask before its fields, since those after the file are lost."""
    request.POST  # noqa: B018 - reading the form receives its files
    if TOO_LARGE in request.META:
        raise uploads.FileTooLarge(most=settings.WEITUO_UPLOAD_MB, where="file")


def kept(request: HttpRequest, key: str) -> str:
    """Keep the file of a form field for a job and give its token. Raises `BadInput`, `FileTooLarge`."""
    check(request)
    file: Any = request.FILES.get(key)
    if file is None:
        raise BadInput(problem=_("choose a file"), where=key)
    return uploads.keep(file.chunks(), name=file.name or "")
