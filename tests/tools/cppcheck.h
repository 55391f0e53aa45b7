/* SPDX-License-Identifier: Apache-2.0 */
/* For cppcheck, which reads no system header: what the macros of others stand for. */
#define TAILQ_ENTRY(type)                                                                          \
	struct {                                                                                   \
		struct type *tqe_next;                                                             \
	}
#define TAILQ_HEAD(name, type)                                                                     \
	struct name {                                                                              \
		struct type *tqh_first;                                                            \
	}
#define TAILQ_FOREACH(var, head, field)                                                            \
	for ((var) = (head)->tqh_first; (var); (var) = (var)->field.tqe_next)
#define LIST_ENTRY(type)	       TAILQ_ENTRY(type)
#define LIST_HEAD(name, type)	       TAILQ_HEAD(name, type)
#define LIST_FOREACH(var, head, field) TAILQ_FOREACH(var, head, field)
#define __VA_OPT__(...)		       ,

#define ASN1_EX_TEMPLATE_TYPE(flags, tag, name, type)                                              \
	{                                                                                          \
		0                                                                                  \
	}
#define static_ASN1_ITEM_TEMPLATE_END(name) ;
#define IMPLEMENT_STATIC_ASN1_ALLOC_FUNCTIONS(type)
#define static_ASN1_SEQUENCE_END(name)	    ;
#define static_ASN1_CHOICE_END(name)	    ;
#define json_array_foreach(array, i, value) for ((i) = 0; (value = json_array_get(array, i)); (i)++)
#define json_object_foreach(object, key, value)                                                    \
	for ((key) = json_key(object); (value = json_value(object, key));)
