"""Where partners' nodes hand in their envelopes. No cookie, no session: the envelope proves who sent it.

| answer | meaning for the sender                                                                    |
|--------|-------------------------------------------------------------------------------------------|
| 200    | a signed receipt, of acceptance or of rejection: the message is settled                   |
| 400    | not an envelope; nothing can be signed about it                                           |
| 411    | the length is missing                                                                     |
| 413    | longer than ``MAX_ENVELOPE_BYTES``                                                        |
| 415    | another media type                                                                        |
| 503    | not now: try again later                                                                  |
"""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from palermo.node.exchange import actions, handlers
from palermo.node.exchange.wire import ENVELOPE_TYPE, MAX_ENVELOPE_BYTES, RECEIPT_TYPE

RETRY_AFTER_SECONDS = 2


def _plain(status: int, sentence: str) -> HttpResponse:
    return HttpResponse(sentence + "\n", status=status, content_type="text/plain; charset=utf-8")


def _body(request: HttpRequest) -> bytes | HttpResponse:
    """The whole body, never more than the bound; or the answer that refuses it."""
    if request.content_type != ENVELOPE_TYPE:
        return _plain(415, f"Send an envelope as {ENVELOPE_TYPE}.")
    stated = request.META.get("CONTENT_LENGTH") or ""
    if not (stated.isascii() and stated.isdigit()):
        return _plain(411, "Say how long the envelope is: Content-Length.")
    length = int(stated[:20])
    if length > MAX_ENVELOPE_BYTES:
        return _plain(413, f"An envelope has at most {MAX_ENVELOPE_BYTES} bytes. Send large files as a package.")
    body = request.read(length)
    if len(body) != length:
        return _plain(400, "The envelope ended before its length. Send it again.")
    return body


@csrf_exempt
@never_cache
@require_POST
def envelopes(request: HttpRequest) -> HttpResponse:
    """Take in one envelope and answer with the signed receipt."""
    body = _body(request)
    if isinstance(body, HttpResponse):
        return body
    try:
        receipt = actions.receive(body, now=timezone.now())
    except actions.UnreadableError as error:
        return _plain(400, error.sentence)
    except handlers.NotYetError as error:
        answer = _plain(503, f"Not yet: {error}. Try again.")
        answer["Retry-After"] = str(RETRY_AFTER_SECONDS)
        return answer
    return HttpResponse(receipt, content_type=RECEIPT_TYPE)
