# Targets made of floors: folders of headers under include/tombola, found by glob and never listed.

# Headers that are a component of their own, apart from their floor.
set(tombola_apart io/npz.hpp io/zlib_streams.hpp)

# tombola_headers(TARGET BASE FLOOR...): the headers in BASE/tombola/FLOOR become TARGET's, to be
# used from BASE, installed with the target, and each compiled alone by
# all_verify_interface_header_sets. A FLOOR may also be one of the headers that stand apart.
function(tombola_headers target base)
  set(headers)
  foreach(floor IN LISTS ARGN)
    if(floor IN_LIST tombola_apart)
      list(APPEND headers ${base}/tombola/${floor})
      continue()
    elseif(floor STREQUAL ".")
      file(GLOB found CONFIGURE_DEPENDS ${base}/tombola/*.hpp)
    else()
      file(GLOB_RECURSE found CONFIGURE_DEPENDS ${base}/tombola/${floor}/*.hpp)
    endif()
    foreach(header IN LISTS tombola_apart)
      list(REMOVE_ITEM found ${base}/tombola/${header})
    endforeach()
    list(APPEND headers ${found})
  endforeach()
  target_include_directories(${target} INTERFACE $<BUILD_INTERFACE:${base}>)
  if(headers)
    target_sources(${target} INTERFACE FILE_SET HEADERS BASE_DIRS ${base} FILES ${headers})
  endif()
  set_target_properties(${target} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ${PROJECT_IS_TOP_LEVEL})
  set_property(GLOBAL APPEND PROPERTY TOMBOLA_HEADERS ${headers})
endfunction()

# tombola_interface(TARGET FLOORS FLOOR... LINKS LIBRARY...)
function(tombola_interface target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "FLOORS;LINKS")
  add_library(${target} INTERFACE)
  tombola_headers(${target} ${PROJECT_SOURCE_DIR}/include ${arg_FLOORS})
  target_link_libraries(${target} INTERFACE ${arg_LINKS})
  string(REGEX REPLACE "^tombola_" "" name ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
  add_library(tombola::${name} ALIAS ${target})
  set_property(GLOBAL APPEND PROPERTY TOMBOLA_TARGETS ${target})
endfunction()

# tombola_component(NAME [OPTIONAL] [NEEDS PACKAGE...] FLOORS FLOOR... LINKS LIBRARY...): the target
# tombola::NAME on top of tombola::tombola. Without its packages it is an error in the project's own
# build, unless it is optional, and simply not there in somebody else's.
function(tombola_component name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "OPTIONAL" "" "NEEDS;FLOORS;LINKS")
  foreach(package IN LISTS arg_NEEDS)
    if(TOMBOLA_DEVELOPER AND NOT arg_OPTIONAL)
      find_package(${package} REQUIRED)
      continue()
    endif()
    find_package(${package} QUIET)
    if(NOT ${package}_FOUND)
      message(STATUS "tombola: no component ${name}, because ${package} was not found")
      return()
    endif()
  endforeach()
  tombola_interface(tombola_${name} FLOORS ${arg_FLOORS} LINKS tombola ${arg_LINKS})
endfunction()
