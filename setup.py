"""Copies the files that ship with the code into the wheel, where `core.shipped` finds them."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

SHIPPED = ("data/mnist", "pretrained", "recipes")


class BuildWithFiles(build_py):
    def run(self) -> None:
        super().run()
        if not self.editable_mode:  # a checkout has them where they are
            for name in SHIPPED:
                shutil.copytree(name, Path(self.build_lib) / "core/files" / name, dirs_exist_ok=True)


setup(cmdclass={"build_py": BuildWithFiles})
