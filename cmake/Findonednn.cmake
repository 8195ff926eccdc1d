# Debian's CMake package of oneDNN asks for OpenCL, which its CPU library does not need: this makes
# onednn::onednn from header and library. Installed beside tombola's own package.
find_path(onednn_INCLUDE_DIR oneapi/dnnl/dnnl.hpp)
find_library(onednn_LIBRARY dnnl)
mark_as_advanced(onednn_INCLUDE_DIR onednn_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(onednn REQUIRED_VARS onednn_LIBRARY onednn_INCLUDE_DIR)

if(onednn_FOUND AND NOT TARGET onednn::onednn)
  add_library(onednn::onednn UNKNOWN IMPORTED)
  set_target_properties(
    onednn::onednn PROPERTIES IMPORTED_LOCATION ${onednn_LIBRARY}
                              INTERFACE_INCLUDE_DIRECTORIES ${onednn_INCLUDE_DIR})
endif()
