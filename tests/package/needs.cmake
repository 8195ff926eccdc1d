# cmake -D ROOT=<source tree> -D CXX=<compiler> -D SCRATCH=<folder> -P needs.cmake: what a user of
# a few floors has to install. All headers of these floors go into one file, an include path and no
# package is given, and the compiler lists what it read: nothing of other libraries may be in it.

cmake_minimum_required(VERSION 3.25)

set(libraries Eigen xtensor xtl boost fmt nlohmann utf8proc CLI benchmark zlib zconf omp
    oneapi curl)

# floors_need(FLOORS FLOOR... NEED LIBRARY...)
function(floors_need)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "" "FLOORS;NEED")
  list(JOIN arg_FLOORS "_" name)
  set(text "")
  foreach(floor IN LISTS arg_FLOORS)
    file(GLOB_RECURSE headers RELATIVE ${ROOT}/include ${ROOT}/include/tombola/${floor}/*.hpp)
    list(REMOVE_ITEM headers tombola/io/npz.hpp tombola/io/zlib_streams.hpp)  # tombola::zlib
    foreach(header IN LISTS headers)
      string(APPEND text "#include \"${header}\"\n")
    endforeach()
  endforeach()
  file(WRITE ${SCRATCH}/${name}.cpp "${text}int main() {}\n")
  execute_process(COMMAND ${CXX} -std=c++20 -I${ROOT}/include -M ${SCRATCH}/${name}.cpp
                  RESULT_VARIABLE status OUTPUT_VARIABLE read ERROR_VARIABLE said)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${arg_FLOORS}: does not compile from an include path alone:\n${said}")
  endif()
  string(REPLACE "${ROOT}/include/" "" read "${read}")
  foreach(library IN LISTS libraries)
    if(NOT library IN_LIST arg_NEED AND read MATCHES "[^ ]*/${library}(/[^ ]*|\\.h)")
      message(FATAL_ERROR "${arg_FLOORS}: reads ${CMAKE_MATCH_0}, expected no header of ${library}")
    endif()
  endforeach()
  list(JOIN arg_FLOORS ", " floors)
  list(JOIN arg_NEED ", " need)
  message("${floors}: the standard library ${need}")
endfunction()

floors_need(FLOORS core)
floors_need(FLOORS core algebra)
floors_need(FLOORS core algebra prune)
floors_need(FLOORS core algebra io prune checkpoint NEED nlohmann)
