# What installs beside the programs: links, manual pages, configuration, a systemd unit or rc.d script; and who may do what.

find_package(Python3 COMPONENTS Interpreter REQUIRED)

# Manual pages, from docs/man and the parameter tables.
file(GLOB man_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/docs/man/*.md ${PROJECT_SOURCE_DIR}/src/lib/config/params/*.def)
set(man_stamp ${PROJECT_BINARY_DIR}/man/.stamp)
add_custom_command(OUTPUT ${man_stamp}
  COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/docs/man/make_man.py ${PROJECT_BINARY_DIR}/man
  COMMAND ${CMAKE_COMMAND} -E touch ${man_stamp}
  DEPENDS ${man_sources} ${PROJECT_SOURCE_DIR}/docs/man/make_man.py
  COMMENT "Manual pages")
add_custom_target(man ALL DEPENDS ${man_stamp})
install(DIRECTORY ${PROJECT_BINARY_DIR}/man/ DESTINATION ${POSTRIDER_MANPAGE_DIRECTORY} PATTERN .stamp EXCLUDE)

# What starts it with the machine.
if(CMAKE_SYSTEM_NAME STREQUAL "FreeBSD")
  configure_file(conf/postrider.rc.in ${PROJECT_BINARY_DIR}/postrider @ONLY)
  install(PROGRAMS ${PROJECT_BINARY_DIR}/postrider DESTINATION ${CMAKE_INSTALL_PREFIX}/etc/rc.d)
else()
  configure_file(conf/postrider.service.in ${PROJECT_BINARY_DIR}/postrider.service @ONLY)
  set(POSTRIDER_UNIT_DIRECTORY "${CMAKE_INSTALL_PREFIX}/lib/systemd/system" CACHE STRING "where the systemd unit goes")
  install(FILES ${PROJECT_BINARY_DIR}/postrider.service DESTINATION ${POSTRIDER_UNIT_DIRECTORY})
endif()
install(FILES README.md CHANGELOG.md LICENSE docs/differences.md docs/lint.md DESTINATION ${POSTRIDER_README_DIRECTORY})

# Names that sendmail and smtp are run under; a configuration that is there already; the set-gid commands.
install(CODE "
  set(root \"\$ENV{DESTDIR}\")
  function(link_program target link)
    get_filename_component(directory \"\${root}\${link}\" DIRECTORY)
    file(MAKE_DIRECTORY \"\${directory}\")
    file(REMOVE \"\${root}\${link}\")
    file(CREATE_LINK \"\${target}\" \"\${root}\${link}\" SYMBOLIC)
  endfunction()
  link_program(${POSTRIDER_SENDMAIL_PATH} ${POSTRIDER_MAILQ_PATH})
  link_program(${POSTRIDER_SENDMAIL_PATH} ${POSTRIDER_NEWALIASES_PATH})
  foreach(name main.cf master.cf)
    if(NOT EXISTS \"\${root}${POSTRIDER_CONFIG_DIRECTORY}/\${name}\")
      file(INSTALL ${PROJECT_SOURCE_DIR}/conf/\${name} DESTINATION \"${POSTRIDER_CONFIG_DIRECTORY}\")  # adds DESTDIR itself
    else()
      message(STATUS \"Kept: \${root}${POSTRIDER_CONFIG_DIRECTORY}/\${name}\")
    endif()
    # What further instances begin with (postmulti).
    file(INSTALL ${PROJECT_SOURCE_DIR}/conf/\${name} DESTINATION \"${POSTRIDER_CONFIG_DIRECTORY}\" RENAME \${name}.proto)
  endforeach()
  execute_process(COMMAND id -u OUTPUT_VARIABLE uid OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(root STREQUAL \"\" AND uid EQUAL 0)
    execute_process(COMMAND ${PROJECT_SOURCE_DIR}/conf/accounts ${POSTRIDER_MAIL_OWNER} ${POSTRIDER_SETGID_GROUP}
                    RESULT_VARIABLE failed)
    foreach(name postdrop postqueue)
      if(NOT failed AND EXISTS ${POSTRIDER_COMMAND_DIRECTORY}/\${name})
        execute_process(COMMAND chgrp ${POSTRIDER_SETGID_GROUP} ${POSTRIDER_COMMAND_DIRECTORY}/\${name})
        execute_process(COMMAND chmod 2755 ${POSTRIDER_COMMAND_DIRECTORY}/\${name})
      endif()
    endforeach()
  endif()
")
