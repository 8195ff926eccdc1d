"""The package tombola: headers, and a CMake package that finds what its components need.

    conan create conan                        what it needs comes from a remote
    conan create conan -pr:a conan/profile    what it needs is installed in the system
"""

import os
import re

from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load


class TombolaRecipe(ConanFile):
    name = "tombola"
    package_type = "header-library"
    description = "Pruning of neural networks, and pruning masks as data"
    license = "MIT"
    topics = ("pruning", "lottery-ticket", "bert", "masks", "header-only")
    settings = "os", "arch", "compiler", "build_type"

    # Every component can be left out together with the library it stands on.
    options = {
        "eigen": [True, False],  # tombola::eigen, the portable backend
        "onednn": [True, False],  # tombola::onednn, its products for that backend
        "data": [True, False],  # tombola::data, WordPiece, GLUE and experiments
        "analysis": [True, False],  # tombola::analysis and tombola::xtensor
        "zlib": [True, False],  # tombola::zlib, .npz files
        "fetch": [True, False],  # tombola::fetch, downloads; stands on zlib, too
    }
    default_options = {
        "eigen": True,
        "onednn": False,
        "data": True,
        "analysis": True,
        "zlib": True,
        "fetch": True,
    }

    # One table: the option, what it requires, and the CMake package that must be kept away without.
    _needs = {
        "eigen": ("eigen/3.4.0", "Eigen3"),
        "onednn": ("onednn/2.6.3", "onednn"),
        "data": ("utf8proc/2.8.0", "utf8proc"),
        "analysis": ("xtensor/0.24.3", "xtensor"),
        "zlib": ("zlib/1.2.13", "ZLIB"),
        "fetch": ("libcurl/7.88.1", "CURL"),
    }

    def _root(self):
        return os.path.join(self.recipe_folder, os.pardir)

    def set_version(self):
        text = load(self, os.path.join(self._root(), "include", "tombola", "version.hpp"))
        self.version = ".".join(re.findall(r"^#define TOMBOLA_VERSION_\w+ (\d+)$", text, re.M))

    def export_sources(self):
        for pattern in ("CMakeLists.txt", "LICENSE", "cmake/*", "include/*", "backends/*"):
            copy(self, pattern, self._root(), self.export_sources_folder)

    def layout(self):
        self.folders.root = os.pardir
        cmake_layout(self, build_folder="build/conan")

    def validate(self):
        check_min_cppstd(self, 20)
        if self.options.fetch and not self.options.zlib:
            raise ConanInvalidConfiguration("fetch=True stands on zlib=True")
        if self.options.onednn and not self.options.eigen:
            raise ConanInvalidConfiguration("onednn=True stands on eigen=True")

    def requirements(self):
        self.requires("nlohmann_json/3.11.2", transitive_headers=True)
        for option, (package, _) in self._needs.items():
            if self.options.get_safe(option):
                self.requires(package, transitive_headers=True, transitive_libs=True)

    def package_id(self):
        # Headers are the same for every compiler; which components are there is not.
        self.info.settings.clear()
        self.info.requires.clear()

    def generate(self):
        CMakeDeps(self).generate()
        toolchain = CMakeToolchain(self)
        toolchain.cache_variables["TOMBOLA_DEVELOPER"] = False
        for option, (_, package) in self._needs.items():
            if not self.options.get_safe(option):
                toolchain.cache_variables["CMAKE_DISABLE_FIND_PACKAGE_" + package] = True
        toolchain.generate()

    def build(self):
        CMake(self).configure()

    def package(self):
        CMake(self).install()

    def package_info(self):
        # Our own CMake package is the one that knows the components.
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.builddirs = ["share/cmake/tombola"]
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
