"""What can go wrong when an officer acts, each with its HTTP status and a sentence that says what to do next.

``web`` maps these once to pages; the command line prints the sentence.
"""


class NodeError(Exception):
    """Base of every refusal of a node app. ``status``: HTTP status. ``sentence``: for the person who acted."""

    status = 400

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class AccessDeniedError(NodeError):
    """The officer's roles do not allow this."""

    status = 403


class NotFoundError(NodeError):
    """There is no such thing, or the officer has no need to know that there is: the two look the same."""

    status = 404

    def __init__(self, sentence: str = "There is nothing here that you can see.") -> None:
        super().__init__(sentence)


class ConflictError(NodeError):
    """The thing is in another state than this step needs."""

    status = 409


class InvalidError(NodeError):
    """What was given cannot be used. ``problems``: one sentence for each fault, all at once."""

    status = 422

    def __init__(self, problems: list[str] | str) -> None:
        self.problems = [problems] if isinstance(problems, str) else problems
        super().__init__(" ".join(self.problems))
