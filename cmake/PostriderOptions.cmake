# Build options, compiler flags and the libraries of the system.

option(POSTRIDER_TESTS "build the tests" ON)
option(POSTRIDER_BENCH "build the micro-benchmarks" OFF)
option(POSTRIDER_FUZZ "build the fuzz targets (needs clang)" OFF)
set(POSTRIDER_SANITIZE "" CACHE STRING "sanitizers, as for -fsanitize= (address,undefined or thread)")

# Where an installed Postfix keeps its things; the defaults of the parameters of the same name.
if(CMAKE_SYSTEM_NAME STREQUAL "FreeBSD")
  set(POSTRIDER_CONFIG_DIRECTORY ${CMAKE_INSTALL_PREFIX}/etc/postfix CACHE STRING "config_directory")
  set(POSTRIDER_DATA_DIRECTORY /var/db/postfix CACHE STRING "data_directory")
endif()
set(POSTRIDER_CONFIG_DIRECTORY /etc/postfix CACHE STRING "config_directory")
set(POSTRIDER_QUEUE_DIRECTORY /var/spool/postfix CACHE STRING "queue_directory")
set(POSTRIDER_DATA_DIRECTORY /var/lib/postfix CACHE STRING "data_directory")
set(POSTRIDER_COMMAND_DIRECTORY ${CMAKE_INSTALL_PREFIX}/sbin CACHE STRING "command_directory")
set(POSTRIDER_DAEMON_DIRECTORY ${CMAKE_INSTALL_PREFIX}/libexec/postfix CACHE STRING "daemon_directory")
set(POSTRIDER_MAIL_OWNER postfix CACHE STRING "mail_owner")
set(POSTRIDER_SETGID_GROUP postdrop CACHE STRING "setgid_group")
set(POSTRIDER_SENDMAIL_PATH ${POSTRIDER_COMMAND_DIRECTORY}/sendmail CACHE STRING "sendmail_path")
set(POSTRIDER_NEWALIASES_PATH ${CMAKE_INSTALL_PREFIX}/bin/newaliases CACHE STRING "newaliases_path")
set(POSTRIDER_MAILQ_PATH ${CMAKE_INSTALL_PREFIX}/bin/mailq CACHE STRING "mailq_path")
set(POSTRIDER_SHLIB_DIRECTORY ${CMAKE_INSTALL_PREFIX}/lib/postfix CACHE STRING "shlib_directory")
set(POSTRIDER_MANPAGE_DIRECTORY ${CMAKE_INSTALL_PREFIX}/share/man CACHE STRING "manpage_directory")
set(POSTRIDER_README_DIRECTORY ${CMAKE_INSTALL_PREFIX}/share/doc/postrider CACHE STRING "readme_directory")
set(POSTRIDER_HTML_DIRECTORY no CACHE STRING "html_directory")

add_library(postrider_flags INTERFACE)
target_compile_options(postrider_flags INTERFACE
  -Wall -Wextra -Werror -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-qual
  -Wformat=2 -Wimplicit-fallthrough -Wno-missing-field-initializers -fno-omit-frame-pointer -fstack-protector-strong)
# -iquote, not -I: our "sys/socket.h" must not stand in for the system's <sys/socket.h>.
target_compile_options(postrider_flags INTERFACE
  "SHELL:-iquote ${PROJECT_SOURCE_DIR}/src/lib" "SHELL:-iquote ${PROJECT_SOURCE_DIR}/src"
  "SHELL:-iquote ${PROJECT_BINARY_DIR}/generated")
if(NOT POSTRIDER_SANITIZE AND NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
  # Fiber stacks are 64 kB: a function with large locals is a mistake. Sanitizers and -O0 enlarge frames.
  target_compile_options(postrider_flags INTERFACE -Wframe-larger-than=8192)
  target_compile_definitions(postrider_flags INTERFACE _FORTIFY_SOURCE=2)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # False alarms of g++ 12 inside libstdc++ once strings are inlined (GCC bugs 105329, 105651 and kin).
  target_compile_options(postrider_flags INTERFACE
    -Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread -Wno-array-bounds -Wno-maybe-uninitialized)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # std::stable_sort of libstdc++ 12 uses a function that the same library has deprecated.
  target_compile_options(postrider_flags INTERFACE -Wno-deprecated-declarations)
endif()
if(POSTRIDER_SANITIZE)
  target_compile_options(postrider_flags INTERFACE
    -fsanitize=${POSTRIDER_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(postrider_flags INTERFACE -fsanitize=${POSTRIDER_SANITIZE})
endif()
if(POSTRIDER_FUZZ)
  target_compile_options(postrider_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()
find_program(MOLD_PROGRAM mold)
if(MOLD_PROGRAM AND NOT POSTRIDER_SANITIZE)
  target_link_options(postrider_flags INTERFACE -fuse-ld=mold)
endif()

find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(Boost 1.74 REQUIRED COMPONENTS context)
pkg_check_modules(LIBEVENT REQUIRED IMPORTED_TARGET libevent_core)
pkg_check_modules(CARES REQUIRED IMPORTED_TARGET libcares)
pkg_check_modules(PCRE2 REQUIRED IMPORTED_TARGET libpcre2-8)
pkg_check_modules(IDN2 REQUIRED IMPORTED_TARGET libidn2)
pkg_check_modules(LMDB REQUIRED IMPORTED_TARGET lmdb)
pkg_check_modules(CDB REQUIRED IMPORTED_TARGET libcdb)
set(POSTRIDER_SANDBOX_LIBRARIES)
if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
  pkg_check_modules(SECCOMP REQUIRED IMPORTED_TARGET libseccomp)
  set(POSTRIDER_SANDBOX_LIBRARIES PkgConfig::SECCOMP)
endif()
# FreeBSD has several versions side by side.
find_library(BERKELEY_DB_LIBRARY NAMES db db-5.3 db-18.1 REQUIRED)
find_path(BERKELEY_DB_INCLUDE_DIRECTORY db.h PATH_SUFFIXES db5 db18 REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(OpenSSL 3 REQUIRED)
