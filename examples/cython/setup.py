"""Builds the example, where dwsep, Cython and setuptools are installed.

python setup.py build_ext --inplace
"""

from Cython.Build import cythonize
from setuptools import Extension, setup

import dwsep

blur = Extension(
    "blur",
    ["blur.pyx"],
    include_dirs=[dwsep.get_include()],
    extra_compile_args=["-O2", "-fopenmp"],
    extra_link_args=["-fopenmp"],
)
setup(name="blur", ext_modules=cythonize([blur], language_level=3))
