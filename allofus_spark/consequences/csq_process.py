"""One call of bcftools csq, as pysam bundles it, in a process of its own.

csq keeps state in its process: a second call that begins before the first one's position fails as unsorted.
An assertion in it ends the process. So each call gets a fresh process, forked from this one.
"""

from __future__ import annotations

import errno
import os
import re
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from pysam import bcftools
from pysam.utils import SamtoolsError
from pysam.version import __bcftools_version__

from allofus_spark.errors import AnnotationFailed

BCFTOOLS_VERSION: str = __bcftools_version__
# Of what csq writes when it fails, the end says why.
_MESSAGE_CHARACTERS = 500
# A range of the default 50,000 variants takes seconds: what takes this long does not end.
MAX_SECONDS = 1_800
# The status of a child that could not write is this and the system's number of the error (up to 133): the
# file of errors may lie on the same full disk.
_OS_ERROR = 100
_NO_SPACE = os.strerror(errno.ENOSPC)
# csq always says why it fails: where it says nothing, that found no room either.
_CANNOT_WRITE = re.compile(rf"{_NO_SPACE}|(?:cannot|failed to|could not) write", re.IGNORECASE)


class CsqFailure(Exception):
    """csq ended without an answer; the text is its own message, or the signal that ended it."""


class CsqHangs(CsqFailure):
    """csq did not end in time."""


def run_csq(arguments: Sequence[str], answer: Path) -> None:
    """Run ``bcftools csq`` with these arguments and write the VCF that it gives to ``answer``.

    Raises CsqFailure where it does not end well, CsqHangs where it does not end within MAX_SECONDS, OSError
    where its files cannot be written, AnnotationFailed where no process can be started.
    """
    errors = answer.with_suffix(".errors")
    try:
        process = os.fork()
    except OSError as error:
        raise AnnotationFailed(f"no process can be started for bcftools csq: {error.strerror}") from None
    if process == 0:
        _be_csq(arguments, answer, errors)
    _, status = os.waitpid(process, 0)
    if status == 0:
        return
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) in range(_OS_ERROR, _OS_ERROR + 134):
        number = os.WEXITSTATUS(status) - _OS_ERROR
        raise OSError(number, os.strerror(number))
    message = errors.read_text(errors="replace").strip()[-_MESSAGE_CHARACTERS:] if errors.exists() else ""
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGALRM:
        raise CsqHangs(f"it did not end within {MAX_SECONDS:,} seconds")
    if os.WIFSIGNALED(status):
        name = signal.Signals(os.WTERMSIG(status)).name
        message = f"ended by {name}" + (f": {message}" if message else "")
    raise CsqFailure(message or f"ended with status {os.waitstatus_to_exitcode(status)}")


def _be_csq(arguments: Sequence[str], answer: Path, errors: Path) -> NoReturn:
    """The forked process: ends itself, so that nothing of the parent's is run twice."""
    status = 1
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)  # ends this process, whatever it is doing
        signal.alarm(MAX_SECONDS)
        written = os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(written, 2)  # where a failed assertion is printed
        try:
            answer.write_text(bcftools.csq(*arguments))
            status = 0
        except SamtoolsError as error:
            message = str(error.value).partition("stderr=")[2].strip()
            if not message or _CANNOT_WRITE.search(message):
                raise OSError(errno.ENOSPC, _NO_SPACE) from None
            os.write(written, message.encode())
        except OSError:
            raise
        except BaseException as error:
            os.write(written, f"{type(error).__name__}: {error}".encode())
    except OSError as error:
        status = _OS_ERROR + (error.errno or errno.EIO)
    finally:
        os._exit(status)
