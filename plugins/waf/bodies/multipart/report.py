"""Flags and errors of a multipart body, and the variables that show them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Report:
    """What was unusual in a multipart body. `error` keeps the first error, `failures` counts all."""

    error: str = ""
    failures: int = 0
    unfinished: str = ""
    boundary_quoted: bool = False
    boundary_whitespace: bool = False
    crlf_line: bool = False
    data_after: bool = False
    data_before: bool = False
    file_limit_exceeded: bool = False
    header_folding: bool = False
    invalid_header_folding: bool = False
    invalid_part: bool = False
    invalid_quoting: bool = False
    lf_line: bool = False
    semicolon_missing: bool = False
    unmatched_boundary: int = 0
    """1: a line looked like a boundary, but was not the last of the boundaries; 2: the final boundary followed it."""

    def fail(self, error: str) -> None:
        """Note an error."""
        self.error = self.error or error
        self.failures += 1

    def cut(self, problem: str) -> None:
        """Note that the end of the body is missing."""
        self.unfinished = self.unfinished or problem

    def fail_part(self, error: str) -> None:
        """Note an error that makes a part invalid."""
        self.invalid_part = True
        self.fail(error)

    def variables(self) -> dict[str, bytes]:
        """Return the variables without their prefix `MULTIPART_`."""
        flags = {
            "BOUNDARY_QUOTED": self.boundary_quoted,
            "BOUNDARY_WHITESPACE": self.boundary_whitespace,
            "DATA_AFTER": self.data_after,
            "DATA_BEFORE": self.data_before,
            "FILE_LIMIT_EXCEEDED": self.file_limit_exceeded,
            "HEADER_FOLDING": self.header_folding,
            "INVALID_HEADER_FOLDING": self.invalid_header_folding,
            "INVALID_PART": self.invalid_part,
            "INVALID_QUOTING": self.invalid_quoting,
            "LF_LINE": self.lf_line,
            "MISSING_SEMICOLON": self.semicolon_missing,
            "SEMICOLON_MISSING": self.semicolon_missing,
        }
        flags["STRICT_ERROR"] = bool(self.error) or any(flags.values())
        flags["CRLF_LF_LINES"] = self.crlf_line and self.lf_line
        found = {f"MULTIPART_{name}": b"1" for name, flag in flags.items() if flag}
        if self.unmatched_boundary:
            found["MULTIPART_UNMATCHED_BOUNDARY"] = b"%d" % self.unmatched_boundary
        return found
