"""Files as the contract says them."""

from google.api.httpbody_pb2 import HttpBody

from scenemesh.chat.v1 import archive_pb2
from services.chat_svc.convert.conversations import conversation_to_proto
from services.chat_svc.domain.archive import File, Format, Imported, Kind

KINDS = {
    archive_pb2.EXPORT_FORMAT_UNSPECIFIED: Kind.JSON,
    archive_pb2.EXPORT_FORMAT_JSON: Kind.JSON,
    archive_pb2.EXPORT_FORMAT_MARKDOWN: Kind.MARKDOWN,
    archive_pb2.EXPORT_FORMAT_TEXT: Kind.TEXT,
    archive_pb2.EXPORT_FORMAT_PDF: Kind.PDF,
}
FORMATS = {
    archive_pb2.IMPORT_FORMAT_JSON: Format.JSON,
    archive_pb2.IMPORT_FORMAT_SILLY_TAVERN: Format.SILLY_TAVERN,
    archive_pb2.IMPORT_FORMAT_LIBRE_CHAT: Format.LIBRE_CHAT,
    archive_pb2.IMPORT_FORMAT_OPEN_WEB_UI: Format.OPEN_WEB_UI,
}


def file_to_proto(file: File) -> HttpBody:
    return HttpBody(content_type=file.content_type, data=file.content)


def imported_to_proto(imported: Imported) -> archive_pb2.ImportConversationsResponse:
    return archive_pb2.ImportConversationsResponse(
        conversations=[conversation_to_proto(one) for one in imported.conversations],
        skipped=[
            archive_pb2.SkippedConversation(place=one.place, display_name=one.title, reason=one.why)
            for one in imported.skipped
        ],
        media_left_behind=imported.media_left_behind,
    )
