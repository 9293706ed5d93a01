"""Builds the examples, where dwsep, Cython and setuptools are installed.

python setup.py build_ext --inplace
"""

from Cython.Build import cythonize
from setuptools import Extension, setup

import dwsep

modules = [
    Extension(
        name,
        [f"{name}.pyx"],
        include_dirs=[dwsep.get_include()],
        extra_compile_args=["-O2", "-fopenmp"],
        extra_link_args=["-fopenmp"],
    )
    for name in ("blur", "bytes", "classify")
]
setup(name="examples", ext_modules=cythonize(modules, language_level=3))
