// SPDX-License-Identifier: GPL-2.0-only
/* Importing a knockd configuration: its commands, its sequences and the file format. */
#include "unit.h"

#include "knockd/knockd.h"

/*
 * Writes what a command does: "+" if it opens or "-" if it closes, then its ports as in a
 * rule; or why the command is refused.
 */
static void command_text(const char *line, char *text, size_t size)
{
	struct knockd_command command;
	const char *wrong = knockd_command(line, &command);
	FILE *out = fmemopen(text, size, "w");

	assert_non_null(out);
	if (wrong)
		fputs(wrong, out);
	else
		fputc(command.action == KNOCKD_OPENS ? '+' : '-', out);
	for (size_t i = 0; i < command.count && !wrong; i++) {
		fputc(' ', out);
		term_print(&command.terms[i], out);
	}
	fclose(out);
}

#define OTHER "its command is not known to open or close a port"
#define SCRIPT "its command needs a shell, or has quotes"
#define EVERYBODY "its command is not for %IP% only"
#define NO_PORT "its command names no port"
#define UNKNOWN(word) "\"" word "\" in its command is not understood"

struct command_case {
	const char *line;
	const char *expected;
};

static void check_commands(const struct command_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char text[256] = "";

		command_text(cases[i].line, text, sizeof(text));
		assert_string_equal(text, cases[i].expected);
	}
}

static void test_commands_of_firewalls(void **state)
{
	static const struct command_case cases[] = {
		{ "/sbin/iptables -A INPUT -s %IP% -p tcp --dport 22 -j ACCEPT", "+ 22/tcp" },
		{ "iptables -D INPUT -s %IP% -p tcp --dport 22 -j ACCEPT", "- 22/tcp" },
		{ "ip6tables  -I INPUT 1 -s %IP% -p udp --dport 1194 -j ACCEPT", "+ 1194/udp" },
		{ "iptables -A INPUT -s %IP% --dport 22 -j ACCEPT", "+ 22" },
		{ "iptables -A INPUT -p tcp -m multiport --dports 80,443,6000:6100 --source %IP% "
		  "--jump ACCEPT",
		  "+ 80/tcp 443/tcp 6000-6100/tcp" },
		{ "iptables -A INPUT -p tcp --dport 22 -j ACCEPT", EVERYBODY },
		{ "iptables -A INPUT -s 192.0.2.1 -p tcp --dport 22 -j ACCEPT", EVERYBODY },
		{ "iptables -A INPUT -s %IP% -p tcp --syn -j ACCEPT", NO_PORT },
		{ "iptables -A INPUT -s %IP% -p tcp --dport 70000 -j ACCEPT", NO_PORT },
		{ "iptables -A INPUT -s %IP% -p tcp --dport", OTHER },
		{ "iptables -A INPUT -s %IP% -p tcp --dport 22 -j DROP", OTHER },
		{ "iptables -A INPUT ! -s %IP% -p tcp --dport 22 -j ACCEPT", UNKNOWN("!") },
		{ "iptables -A INPUT -s %IP% -p gre --dport 22 -j ACCEPT",
		  "its command is for a protocol without ports" },
		{ "iptables -F", OTHER },
		{ "ufw allow from %IP% to any port 22", "+ 22" },
		{ "ufw insert 1 allow proto tcp from %IP% to any port 22", "+ 22/tcp" },
		{ "ufw delete allow from %IP% to any port 22 proto udp", "- 22/udp" },
		{ "ufw allow 22", EVERYBODY },
		{ "ufw deny from %IP% to any port 22", OTHER },
		{ "nft add rule inet filter input ip saddr %IP% tcp dport 22 accept",
		  "+ 22/tcp" },
		{ "nft insert rule inet filter input ip saddr %IP% udp dport 6000-6100 accept",
		  "+ 6000-6100/udp" },
		{ "nft add rule inet filter input tcp dport 22 accept", EVERYBODY },
		{ "nft add rule inet filter input ip saddr %IP% tcp dport 22 drop", OTHER },
		{ "nft delete rule inet filter input handle 4", OTHER },
		{ "nft add element inet filter allowed { %IP% }", SCRIPT },
		{ "/usr/local/sbin/open %IP%", OTHER },
		{ "iptables -A INPUT -s %IP% -p tcp --dport 22 -j ACCEPT; rm -r /", SCRIPT },
		{ "sh -c 'iptables'", SCRIPT },
		{ "", OTHER },
		{ " ", OTHER },
	};

	(void)state;
	check_commands(cases, ARRAY_SIZE(cases));
}

/* Words that can be left out: the imported knock means the same without them. */
static void test_words_that_can_be_left_out(void **state)
{
	static const struct command_case cases[] = {
		{ "iptables -w 5 -t filter -I INPUT -m comment --comment -i -s %IP% -p tcp "
		  "--syn -m state --state NEW,RELATED,ESTABLISHED -m tcp --dport 22 -j ACCEPT",
		  "+ 22/tcp" },
		{ "ip6tables --wait --table filter --insert INPUT 2 --src %IP% --proto udp "
		  "--match conntrack --ctstate NEW --destination-port 53 --jump ACCEPT",
		  "+ 53/udp" },
		{ "iptables --delete INPUT -s %IP% -p udp -m udp --dport domain -j ACCEPT",
		  "- 53/udp" },
		{ "ufw --force delete allow in from %IP% to any port 22 proto tcp comment ssh",
		  "- 22/tcp" },
		{ "ufw prepend allow from %IP% to any port ssh", "+ 22/tcp" },
		{ "nft insert rule filter INPUT position 4 ct state established,new "
		  "ip6 saddr %IP% tcp dport 22,80 counter accept comment a",
		  "+ 22/tcp 80/tcp" },
		{ "nft add rule ip6 filter my_input ip6 saddr %IP% udp dport 53 accept",
		  "+ 53/udp" },
	};

	(void)state;
	check_commands(cases, ARRAY_SIZE(cases));
}

/* Words that must not be left out: the knock would open more, or something else. */
static void test_words_that_are_refused(void **state)
{
	static const struct command_case cases[] = {
		{ "iptables -A INPUT -i eth1 -s %IP% -p tcp --dport 22 -j ACCEPT",
		  UNKNOWN("-i") },
		{ "iptables -A INPUT -d 10.0.0.5 -s %IP% -p tcp --dport 22 -j ACCEPT",
		  UNKNOWN("-d") },
		{ "iptables -A INPUT -s %IP% -p tcp --dport 29 --sport 1000 -j ACCEPT",
		  UNKNOWN("--sport") },
		{ "iptables -A INPUT -s %IP% -p tcp --dport 29 -m limit --limit 1/m -j ACCEPT",
		  UNKNOWN("limit") },
		{ "iptables -A INPUT -s %IP% -m state --state ESTABLISHED -p tcp --dport 22 "
		  "-j ACCEPT",
		  UNKNOWN("ESTABLISHED") },
		{ "iptables -A INPUT -s %IP% -m state --state NEW,INVALID -p tcp --dport 22 "
		  "-j ACCEPT",
		  UNKNOWN("NEW,INVALID") },
		{ "iptables -A OUTPUT -s %IP% -p tcp --dport 25 -j ACCEPT", UNKNOWN("OUTPUT") },
		{ "iptables -A INPUT 1 -s %IP% -p tcp --dport 25 -j ACCEPT", UNKNOWN("1") },
		{ "iptables -t nat -A PREROUTING -s %IP% -p tcp --dport 26 -j ACCEPT",
		  UNKNOWN("nat") },
		{ "iptables -A INPUT -D INPUT -s %IP% -p tcp --dport 26 -j ACCEPT", OTHER },
		{ "iptables -A INPUT -s %IP% -p tcp --dport 26 --dport 27 -j ACCEPT",
		  UNKNOWN("27") },
		{ "iptables -A INPUT -s %IP% -p tcp --dport 22/udp -j ACCEPT", NO_PORT },
		{ "iptables -A INPUT -s %IP% -p udp --dport ssh -j ACCEPT", NO_PORT },
		{ "iptables -A INPUT -s %IP% -j ACCEPT --dport", UNKNOWN("--dport") },
		{ "iptables -A INPUT -s %IP% \033[2J -j ACCEPT", UNKNOWN("?[2J") },
		{ "ufw allow from %IP% port 1000 to any port 22 proto tcp", UNKNOWN("port") },
		{ "ufw allow from %IP% to 10.0.0.5 port 22", UNKNOWN("10.0.0.5") },
		{ "ufw allow out from %IP% to any port 27", UNKNOWN("out") },
		{ "ufw allow in on eth1 from %IP% to any port 27", UNKNOWN("on") },
		{ "ufw route allow from %IP% to any port 27", UNKNOWN("route") },
		{ "ufw allow from %IP% to any app OpenSSH", UNKNOWN("app") },
		{ "nft add rule inet filter output ip saddr %IP% tcp dport 28 accept",
		  UNKNOWN("output") },
		{ "nft add rule ip nat input ip saddr %IP% tcp dport 28 accept",
		  UNKNOWN("nat") },
		{ "nft add rule netdev filter input ip saddr %IP% tcp dport 28 accept",
		  UNKNOWN("netdev") },
		{ "nft add rule inet filter input iif eth1 ip saddr %IP% tcp dport 28 accept",
		  UNKNOWN("iif") },
		{ "nft add rule inet filter input ip saddr %IP% ip daddr 10.0.0.5 tcp dport 28 "
		  "accept",
		  UNKNOWN("daddr") },
		{ "nft add rule inet filter input ip saddr %IP% tcp sport 9 tcp dport 28 accept",
		  UNKNOWN("sport") },
		{ "nft add rule inet filter input ip saddr %IP% tcp dport 28 udp dport 9 accept",
		  UNKNOWN("9") },
		{ "nft add rule inet filter input ip saddr %IP% tcp dport 28 limit rate 1/minute "
		  "accept",
		  UNKNOWN("limit") },
	};

	(void)state;
	check_commands(cases, ARRAY_SIZE(cases));
}

static void test_sequences(void **state)
{
	static const char *const wrong[] = { "",      "7000,",	     "x",	  "7000:sctp",
					     "70000", "7000:",	     "7000 8000", "-1",
					     ",",     "7000:udp:tcp" };
	struct sequence sequence;

	(void)state;
	assert_null(knockd_sequence("7000,8000:UDP, 9000 : tcp ,0", &sequence));
	assert_int_equal(sequence.count, 4);
	assert_int_equal(sequence.steps[0], PORT_KEY_TCP + 7000);
	assert_int_equal(sequence.steps[1], PORT_KEY_UDP + 8000);
	assert_int_equal(sequence.steps[2], PORT_KEY_TCP + 9000);
	assert_int_equal(sequence.steps[3], PORT_KEY_TCP);
	assert_null(knockd_sequence("1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16", &sequence));
	assert_non_null(
		knockd_sequence("1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", &sequence));
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_non_null(knockd_sequence(wrong[i], &sequence));
}

static void test_file_format(void **state)
{
	char text[] =
		"# c\n  lonely = 1\n[Options]\n sequence = 1\n[ a ]\r\n\tSequence= 7000 \r\n"
		"command=x = y\n#tcpflags = fin\n[b\n[c]\nSEQ_TIMEOUT = 5\nend";
	struct knockd knockd;

	(void)state;
	assert_int_equal(knockd_parse(text, &knockd), 0);
	assert_int_equal(knockd.count, 2);
	assert_string_equal(knockd.events[0].name, " a ");
	assert_int_equal(knockd.events[0].row, 5);
	assert_string_equal(knockd.events[0].sequence.text, "7000");
	assert_int_equal(knockd.events[0].sequence.row, 6);
	assert_string_equal(knockd.events[0].start_command.text, "x = y");
	assert_null(knockd.events[0].tcpflags.text);
	assert_string_equal(knockd.events[1].seq_timeout.text, "5");
	knockd_clear(&knockd);
}

/* Control characters in a section's name are replaced, because the name is printed. */
static void test_control_characters_in_name_are_replaced(void **state)
{
	char text[] = "[x\033]0;PWNED\007\nsequence = 1\n";
	char other[] = "[\033[2J\xc3\xa4 b]\n";
	struct knockd knockd;

	(void)state;
	assert_int_equal(knockd_parse(text, &knockd), 0);
	assert_string_equal(knockd.events[0].name, "x?");
	knockd_clear(&knockd);
	assert_int_equal(knockd_parse(other, &knockd), 0);
	assert_string_equal(knockd.events[0].name, "?[2J?? b");
	knockd_clear(&knockd);
}

/* Random text: nothing is read or written beyond it. A sanitizer build detects that. */
static void test_random_text(void **state)
{
	static const char alphabet[] = "[]=,:#\n \t%IPs-Dport22jACCEPTiptables!udp7";

	(void)state;
	srandom(1);
	for (int run = 0; run < 20000; run++) {
		char text[200], line[200];
		struct knockd_command command;
		struct sequence sequence;
		struct knockd knockd;
		size_t length = random() % sizeof(text);

		for (size_t i = 0; i < length; i++)
			text[i] = alphabet[random() % (sizeof(alphabet) - 1)];
		text[length ? length - 1 : 0] = 0;
		memcpy(line, text, sizeof(line));
		knockd_command(line, &command);
		knockd_sequence(line, &sequence);
		assert_true(sequence.count <= MAX_STEPS);
		assert_int_equal(knockd_parse(text, &knockd), 0);
		knockd_clear(&knockd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commands_of_firewalls),
		cmocka_unit_test(test_words_that_can_be_left_out),
		cmocka_unit_test(test_words_that_are_refused),
		cmocka_unit_test(test_sequences),
		cmocka_unit_test(test_file_format),
		cmocka_unit_test(test_control_characters_in_name_are_replaced),
		cmocka_unit_test(test_random_text),
	};

	return run_suite("knockd", tests);
}
