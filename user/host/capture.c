// SPDX-License-Identifier: GPL-2.0-only
#include "host/capture.h"

#include <errno.h>
#include <net/ethernet.h>
#include <pcap/pcap.h>
#include <pcap/sll.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/log.h"

/* Link types of captures. Each has a header before the packet; offsets are into that header. */
struct link_type {
	int type; /* DLT_* of libpcap */
	unsigned int header; /* its size in bytes */
	int protocol; /* offset of the EtherType; -1: it has none, the packet is IP */
	int direction; /* offset of the last byte of the packet type; -1: it has none */
};

static const struct link_type link_types[] = {
	{ DLT_EN10MB, 0, 0, -1 }, /* Ethernet: handed on unchanged */
	{ DLT_RAW, 0, -1, -1 },	      { DLT_IPV4, 0, -1, -1 },	     { DLT_IPV6, 0, -1, -1 },
	{ DLT_LINUX_SLL, 16, 14, 1 }, { DLT_LINUX_SLL2, 20, 0, 10 },
};

struct capture {
	const char *path;
	pcap_t *pcap;
	const struct link_type *link;
	__u8 frame[CAPTURED_MAX];
};

static const struct link_type *find_link_type(int type)
{
	for (size_t i = 0; i < ARRAY_SIZE(link_types); i++) {
		if (link_types[i].type == type)
			return &link_types[i];
	}
	return NULL;
}

static int open_pcap(struct capture *capture, const char *path)
{
	char why[PCAP_ERRBUF_SIZE];
	int type;

	capture->path = path;
	capture->pcap =
		pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, why);
	if (!capture->pcap)
		return fail(-EINVAL, "cannot read %s as a capture: %s", path, why);
	type = pcap_datalink(capture->pcap);
	capture->link = find_link_type(type);
	if (!capture->link)
		return fail(-EOPNOTSUPP,
			    "%s is a capture of %s, not of Ethernet, IP or the interface "
			    "\"any\"",
			    path, pcap_datalink_val_to_name(type) ?: "something unknown");
	return 0;
}

int capture_open(const char *path, struct capture **capture)
{
	struct capture *made = calloc(1, sizeof(*made));
	int err = made ? open_pcap(made, path) : out_of_memory();

	if (err)
		capture_close(made);
	else
		*capture = made;
	return err;
}

/* Puts the packet of another link type behind an Ethernet header. */
static void wrap_in_ethernet(struct capture *capture, const struct pcap_pkthdr *header,
			     const __u8 *data, struct captured *captured)
{
	const struct link_type *link = capture->link;
	size_t skip = link->header < header->caplen ? link->header : header->caplen;
	size_t room = sizeof(capture->frame) - ETH_HLEN;
	size_t got = header->caplen - skip;
	__u8 *payload = capture->frame + ETH_HLEN, *ethertype = payload - 2;

	memset(capture->frame, 0, ETH_HLEN);
	memcpy(payload, data + skip, got < room ? got : room);
	captured->size = ETH_HLEN + header->len - skip;
	if (link->protocol >= 0 && header->caplen >= link->header) {
		memcpy(ethertype, data + link->protocol, 2);
		captured->outgoing = data[link->direction] == LINUX_SLL_OUTGOING;
	} else if (got) {
		memcpy(ethertype, *payload >> 4 == 4 ? "\x08\x00" : "\x86\xDD", 2);
	}
}

int capture_next(struct capture *capture, struct captured *captured)
{
	struct pcap_pkthdr *header;
	const u_char *data;
	size_t got;
	int err = pcap_next_ex(capture->pcap, &header, &data);

	if (err == PCAP_ERROR_BREAK)
		return 0;
	if (err != 1)
		return fail(-EIO, "%s: %s", capture->path, pcap_geterr(capture->pcap));
	*captured = (struct captured){
		.frame = data,
		.size = header->len,
		.time = header->ts.tv_sec * 1000000000ull + header->ts.tv_usec,
		.cut = header->caplen < header->len,
	};
	if (capture->link->type == DLT_EN10MB && !captured->cut)
		return 1;
	captured->frame = capture->frame;
	if (capture->link->type == DLT_EN10MB) {
		got = header->caplen < CAPTURED_MAX ? header->caplen : CAPTURED_MAX;
		memcpy(capture->frame, data, got);
	} else {
		wrap_in_ethernet(capture, header, data, captured);
		got = captured->size - (header->len - header->caplen);
	}
	if (captured->size > CAPTURED_MAX) {
		captured->size = CAPTURED_MAX;
		captured->cut = true;
	}
	if (got < captured->size)
		memset(capture->frame + got, 0, captured->size - got);
	return 1;
}

void capture_close(struct capture *capture)
{
	if (capture && capture->pcap)
		pcap_close(capture->pcap);
	free(capture);
}
