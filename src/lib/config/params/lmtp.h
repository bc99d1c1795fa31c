// Handles of the parameters in lmtp.def, where their meaning is told.
#pragma once

#include "config/param.h"

#define PARAM_GROUP lmtp
#define PARAM_FILE "config/params/lmtp.def"
#include "config/params/declare.inc"
