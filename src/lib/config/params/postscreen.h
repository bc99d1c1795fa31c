// Handles of the parameters in postscreen.def, where their meaning is told.
#pragma once

#include "config/param.h"

#define PARAM_GROUP postscreen
#define PARAM_FILE "config/params/postscreen.def"
#include "config/params/declare.inc"
