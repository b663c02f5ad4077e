# Every target of ours links `warnings`; a warning is an error in every preset.
add_library(warnings INTERFACE)
target_compile_options(warnings INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor -Woverloaded-virtual
  -Wimplicit-fallthrough -Wold-style-cast -Wcast-qual
  # Stored floating-point results must not depend on fused operations (architecture: what keeps replicas identical).
  -ffp-contract=off -fno-math-errno)
target_include_directories(warnings INTERFACE ${PROJECT_SOURCE_DIR})
