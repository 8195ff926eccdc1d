# cmake -D BUILD_DIR=<a build of tombola> -P consumers.cmake: installs it, moves what was installed,
# and has two projects outside the tree use it: one the package, one the sources.
cmake_minimum_required(VERSION 3.25)

set(scratch ${BUILD_DIR}/consumers)
cmake_path(GET CMAKE_CURRENT_LIST_DIR PARENT_PATH source)
cmake_path(GET source PARENT_PATH source)
file(REMOVE_RECURSE ${scratch})
file(COPY ${CMAKE_CURRENT_LIST_DIR}/consumer DESTINATION ${scratch})

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE said ERROR_VARIABLE said)
  if(NOT status EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${command}\nfailed:\n${said}")
  endif()
endfunction()

# refused(NAME TEXT OPTION...): a find_package that must fail, saying TEXT.
function(refused name text)
  file(WRITE ${scratch}/${name}/CMakeLists.txt
       "cmake_minimum_required(VERSION 3.25)\nproject(${name} LANGUAGES CXX)\n"
       "find_package(tombola ${ARGN})\n")
  execute_process(
    COMMAND ${CMAKE_COMMAND} -G Ninja -S ${scratch}/${name} -B ${scratch}/${name}/build
            -D CMAKE_PREFIX_PATH=${scratch}/moved
    RESULT_VARIABLE status OUTPUT_QUIET ERROR_VARIABLE said)
  string(REGEX REPLACE "[ \n]+" " " said "${said}")
  if(status EQUAL 0 OR NOT said MATCHES "${text}")
    message(FATAL_ERROR "find_package(tombola ${ARGN}): expected '${text}', it said: ${said}")
  endif()
endfunction()

run(${CMAKE_COMMAND} --install ${BUILD_DIR} --prefix ${scratch}/installed)
file(RENAME ${scratch}/installed ${scratch}/moved)

# The package names no folder of this machine.
file(GLOB package ${scratch}/moved/share/cmake/tombola/*.cmake)
foreach(file IN LISTS package)
  file(READ ${file} text)
  foreach(folder ${source} ${BUILD_DIR} /usr/include /usr/lib)
    string(FIND "${text}" "${folder}" place)
    if(NOT place EQUAL -1)
      message(FATAL_ERROR "${file} names ${folder}")
    endif()
  endforeach()
endforeach()

foreach(kind package tree)
  set(how -D CMAKE_PREFIX_PATH=${scratch}/moved)
  if(kind STREQUAL "tree")
    set(how -D TOMBOLA_TREE=${source})
  endif()
  run(${CMAKE_COMMAND} -G Ninja -S ${scratch}/consumer -B ${scratch}/${kind}
      -D CMAKE_BUILD_TYPE=Debug ${how})
  run(${CMAKE_COMMAND} --build ${scratch}/${kind})
  run(${scratch}/${kind}/masks)
  run(${scratch}/${kind}/model)
  run(${scratch}/${kind}/arrays ${scratch}/${kind}/masks.npz)
  if(EXISTS ${scratch}/moved/share/cmake/tombola/tombola-component-onednn.cmake)
    run(${scratch}/${kind}/products)
  endif()
  run(${scratch}/${kind}/files)
  message("consumer of the ${kind}: built and run")
endforeach()

refused(unknown "has no component cuda" REQUIRED COMPONENTS cuda)
# A component that may be missing is not what the package is refused for.
refused(optional "has no component cuda" REQUIRED COMPONENTS cuda OPTIONAL_COMPONENTS rocm)
refused(later "compatible with requested version" 0.2 REQUIRED)

# What a source tree leaves out it says, for a component that stands on another as well.
foreach(missing Eigen3 OpenMP)
  file(MAKE_DIRECTORY ${scratch}/without)
  file(WRITE ${scratch}/without/CMakeLists.txt
       "cmake_minimum_required(VERSION 3.25)\nproject(without LANGUAGES CXX)\n"
       "add_subdirectory(${source} tombola)\n")
  execute_process(
    COMMAND ${CMAKE_COMMAND} -G Ninja -S ${scratch}/without -B ${scratch}/without/${missing}
            -D CMAKE_DISABLE_FIND_PACKAGE_${missing}=ON
    RESULT_VARIABLE status OUTPUT_VARIABLE said ERROR_VARIABLE said)
  if(NOT status EQUAL 0 OR NOT said MATCHES "no component onednn, because")
    message(FATAL_ERROR "without ${missing}: expected 'no component onednn', it said: ${said}")
  endif()
endforeach()
message("unknown components and other versions are refused")
