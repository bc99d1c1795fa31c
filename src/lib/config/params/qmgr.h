// Handles of the parameters in qmgr.def, where their meaning is told.
#pragma once

#include "config/param.h"

#define PARAM_GROUP qmgr
#define PARAM_FILE "config/params/qmgr.def"
#include "config/params/declare.inc"
