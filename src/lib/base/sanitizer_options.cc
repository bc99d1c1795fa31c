// Settings of sanitized builds. The processes of the mail system get a clean environment, so they cannot come
// from there.

/// A finding ends the process by a signal, which master reports and tests look for; with an exit status it
/// would look like a mistake in the configuration. Leaks are not looked for: daemons leave by _exit(), and
/// the check itself needs ptrace, which the sandbox refuses.
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() {
  return "abort_on_error=1:detect_leaks=0";
}
extern "C" const char* __ubsan_default_options();
extern "C" const char* __ubsan_default_options() {
  return "abort_on_error=1:print_stacktrace=1";
}
