include(GoogleTest)
enable_testing()

# redraft_test(NAME sources... LINK libraries...): one GoogleTest binary per module, run as one ctest entry.
function(redraft_test name)
  cmake_parse_arguments(arg "" "" "LINK" ${ARGN})
  add_executable(${name} ${arg_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${arg_LINK} warnings GTest::gtest GTest::gmock GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${name} --gtest_brief=1)
endfunction()

# redraft_fuzzer(NAME sources... LINK libraries...): a libFuzzer binary in the fuzz preset, nothing elsewhere.
function(redraft_fuzzer name)
  if(NOT REDRAFT_FUZZERS)
    return()
  endif()
  cmake_parse_arguments(arg "" "" "LINK" ${ARGN})
  add_executable(${name} ${arg_UNPARSED_ARGUMENTS})
  target_compile_options(${name} PRIVATE -fsanitize=fuzzer)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  target_link_libraries(${name} PRIVATE ${arg_LINK} warnings)
endfunction()
