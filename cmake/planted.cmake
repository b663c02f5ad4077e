# -DREDRAFT_PLANTED=ON compiles the planted bugs of base/planted.h into the files that have them, and the simulation is
# named redraft-sim-planted. Nothing of it is in any other build.
option(REDRAFT_PLANTED "bugs for the simulation to find" OFF)
if(REDRAFT_PLANTED)
  set(planted_raft raft.cc reads.cc replication.cc)
  set(planted_wal log.cc recover.cc)
  set(planted_server/store walk.cc)
  set(planted_server/replica admission.cc applying.cc auditing.cc messages.cc peers.cc transactions.cc)
  set(planted_tests/sim main.cc runner.cc)
  foreach(directory raft wal server/store server/replica tests/sim)
    list(TRANSFORM planted_${directory} PREPEND ${PROJECT_SOURCE_DIR}/${directory}/)
    set_source_files_properties(${planted_${directory}} DIRECTORY ${PROJECT_SOURCE_DIR}/${directory}
                                PROPERTIES COMPILE_DEFINITIONS REDRAFT_PLANTED)
  endforeach()
  set_target_properties(redraft-sim PROPERTIES OUTPUT_NAME redraft-sim-planted)
endif()
