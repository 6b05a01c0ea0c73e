#pragma once

/*
 * A doubly linked list with its links inside the elements. The head is a link
 * of its own; an empty list points at itself.
 */

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *prev;
	struct list *next;
};

/* The element that holds this link. */
#define LIST_ENTRY(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

/* Walks the links; the current one may be removed in the body. */
#define LIST_EACH(link, head)                                                                      \
	for (struct list *link = (head)->next, *link##_next = link->next; link != (head);              \
			link = link##_next, link##_next = link->next)

static inline void list_init(struct list *head)
{
	head->prev = head;
	head->next = head;
}

static inline bool list_is_empty(const struct list *head)
{
	return head->next == head;
}

/* As the last element. */
static inline void list_append(struct list *head, struct list *link)
{
	link->prev = head->prev;
	link->next = head;
	head->prev->next = link;
	head->prev = link;
}

/* All elements of the other list, in their order; it is empty afterwards. */
static inline void list_append_all(struct list *head, struct list *other)
{
	if (list_is_empty(other)) {
		return;
	}
	other->next->prev = head->prev;
	head->prev->next = other->next;
	other->prev->next = head;
	head->prev = other->prev;
	list_init(other);
}

/* Unlinked twice is harmless: a removed link points at itself. */
static inline void list_remove(struct list *link)
{
	link->prev->next = link->next;
	link->next->prev = link->prev;
	list_init(link);
}

static inline struct list *list_first(const struct list *head)
{
	return head->next == head ? NULL : head->next;
}
