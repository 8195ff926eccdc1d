# cmake -D COMPILER=<compiler> -D SOURCE=<file> -D INCLUDES=<folders> -P refuse.cmake
cmake_minimum_required(VERSION 3.25)

file(STRINGS ${SOURCE} first LIMIT_COUNT 1)
if(NOT first MATCHES "^// refused: (.+)$")
  message(FATAL_ERROR "${SOURCE}: begins with '${first}', expected '// refused: <expression>'")
endif()
set(expected "${CMAKE_MATCH_1}")

list(TRANSFORM INCLUDES PREPEND -I)
execute_process(COMMAND ${COMPILER} -std=c++20 -fsyntax-only -DWRONG ${INCLUDES} ${SOURCE}
                RESULT_VARIABLE status ERROR_VARIABLE said)
if(status EQUAL 0)
  message(FATAL_ERROR "${SOURCE} compiles with its wrong line in")
elseif(NOT said MATCHES "${expected}")
  message(FATAL_ERROR "${SOURCE} is refused, but not with '${expected}':\n${said}")
endif()
