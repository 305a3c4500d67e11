"""Pages for people: one module a subject. A write view calls one action; a page composes several queries."""
