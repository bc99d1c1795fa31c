// Handles of the parameters in verify.def, where their meaning is told.
#pragma once

#include "config/param.h"

#define PARAM_GROUP verify
#define PARAM_FILE "config/params/verify.def"
#include "config/params/declare.inc"
