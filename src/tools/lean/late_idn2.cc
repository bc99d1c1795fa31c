// libidn2, loaded when it is first asked for; see CMakeLists.txt. Only ${domain_to_ascii{...}} in main.cf
// asks.

#include <dlfcn.h>

#include <idn2.h>

namespace {

/// A function of the library; null when there is none on this system.
template <typename Function>
Function* find(const char* name) {
  static void* library = dlopen("libidn2.so.0", RTLD_NOW | RTLD_LOCAL);
  return library == nullptr ? nullptr : reinterpret_cast<Function*>(dlsym(library, name));
}

}  // namespace

extern "C" {

int idn2_to_ascii_8z(const char* input, char** output, int flags) {
  static auto* function = find<decltype(idn2_to_ascii_8z)>("idn2_to_ascii_8z");
  return function == nullptr ? IDN2_NO_CODESET : function(input, output, flags);
}

int idn2_to_unicode_8z8z(const char* input, char** output, int flags) {
  static auto* function = find<decltype(idn2_to_unicode_8z8z)>("idn2_to_unicode_8z8z");
  return function == nullptr ? IDN2_NO_CODESET : function(input, output, flags);
}

void idn2_free(void* memory) {
  static auto* function = find<decltype(idn2_free)>("idn2_free");
  if (function != nullptr) function(memory);
}

}  // extern "C"
