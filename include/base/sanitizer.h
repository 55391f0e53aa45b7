/* SPDX-License-Identifier: Apache-2.0 */
/* HAS_ADDRESS_SANITIZER: gcc says it by a macro, clang by a feature. */
#ifndef BASE_SANITIZER_H
#define BASE_SANITIZER_H

#ifdef __SANITIZE_ADDRESS__
#define HAS_ADDRESS_SANITIZER 1
#endif

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define HAS_ADDRESS_SANITIZER 1
#endif
#endif

#ifndef HAS_ADDRESS_SANITIZER
#define HAS_ADDRESS_SANITIZER 0
#endif

#endif
