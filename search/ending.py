"""How the small commands end: an exit code, and one message for what the user can mend."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable


def exit_code(command: str, work: Callable[[], int]) -> int:
    """Returns what the work returns, or what its error means: 2 the input is wrong, 5 the run directory is, 1 a fault
    of the program, 130 interrupted. The message goes to stderr, under the command's name."""
    from blocks import InfeasibleSpec, WeightsError
    from blocks.source import InputError
    from search.data.spec import DataError
    from search.record import RunDirectoryError

    try:
        return work()
    except (InputError, WeightsError, InfeasibleSpec, DataError) as error:
        code, said = 2, str(error)
    except RunDirectoryError as error:
        code, said = 5, str(error)
    except KeyboardInterrupt:
        code, said = 130, "interrupted"
    except Exception:
        traceback.print_exc()
        code, said = 1, "this is a fault of the program"
    print(f"{command}: {said}", file=sys.stderr)
    return code
