"""Where the headers of the C++ and C interfaces are."""


def get_include() -> str:
    """Return the directory to pass to a compiler's ``-I``.

    It holds ``dwsep/dwsep.hpp``, the C++ interface, for programs that link the C++ library, and
    ``dwsep/c_api.h``, the C interface, for extension modules, which link nothing.

    Examples
    --------
    >>> from pathlib import Path
    >>> import dwsep
    >>> Path(dwsep.get_include(), "dwsep", "c_api.h").is_file()
    True
    """
    from pathlib import Path  # half of the time to import dwsep

    here = Path(__file__).resolve().parent
    installed = here / "include"
    # An editable installation has its headers where the repository has them.
    return str(installed if installed.is_dir() else here.parents[1] / "cpp" / "include")
