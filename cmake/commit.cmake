# Which commit is built, for the record that every run keeps; "-dirty" where files differ from it.
function(tombola_commit result)
  execute_process(
    COMMAND git describe --always --dirty --abbrev=12 --exclude *
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} RESULT_VARIABLE status OUTPUT_VARIABLE commit
    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(NOT status EQUAL 0)  # no git, or not a clone
    set(commit unknown)
  endif()
  set(${result} ${commit} PARENT_SCOPE)
  # Asked again after each commit.
  if(EXISTS ${PROJECT_SOURCE_DIR}/.git/logs/HEAD)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
                                           ${PROJECT_SOURCE_DIR}/.git/logs/HEAD)
  endif()
endfunction()
