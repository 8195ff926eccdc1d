# One package; every component is a target and an export file of its own.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_DATADIR}/cmake/tombola)
get_property(targets GLOBAL PROPERTY TOMBOLA_TARGETS)
foreach(target IN LISTS targets)
  get_target_property(name ${target} EXPORT_NAME)
  get_target_property(sets ${target} INTERFACE_HEADER_SETS)
  set(headers)
  if(sets)
    set(headers FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  endif()
  install(TARGETS ${target} EXPORT tombola-component-${name} ${headers})
  install(EXPORT tombola-component-${name} NAMESPACE tombola:: DESTINATION ${package_dir})
endforeach()

configure_package_config_file(
  backends/tombola-config.cmake.in tombola-config.cmake INSTALL_DESTINATION ${package_dir}
  NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(
  tombola-config-version.cmake COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES ${PROJECT_BINARY_DIR}/tombola-config.cmake
              ${PROJECT_BINARY_DIR}/tombola-config-version.cmake cmake/Findutf8proc.cmake
              cmake/Findonednn.cmake
        DESTINATION ${package_dir})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/tombola)
