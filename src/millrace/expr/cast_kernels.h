#pragma once

#include "millrace/expr/kernel.h"

namespace millrace::internal {

/// Between any two number types.
Column CastNumber(const KernelCall& call);
/// From any type but text.
Column CastToText(const KernelCall& call);
/// To any type but text.
Column CastFromText(const KernelCall& call);
/// A JSON number or boolean to a SQL one.
Column CastFromJson(const KernelCall& call);

/// Between arrays: each element.
Column CastArray(const KernelCall& call);

}  // namespace millrace::internal
