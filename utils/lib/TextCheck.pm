package TextCheck;

# What may stand in a line of a transcript file: UTF-8, separated by blanks and tabs
# alone, without symbols that decoders keep for themselves.

use strict;
use warnings;
use Encode ();
use Exporter 'import';

our @EXPORT_OK = qw(text_problem);

my @RESERVED = ('<s>', '</s>', '#0');

# Returns what is wrong with a line of bytes, or ''. $non_print allows characters that
# cannot be printed.
sub text_problem {
    my ($bytes, $non_print) = @_;
    my $strict = Encode::FB_CROAK | Encode::LEAVE_SRC;
    my $line = eval { Encode::decode('UTF-8', $bytes, $strict) };
    return 'expected UTF-8, found other bytes; convert with:'
        . ' iconv -f ISO-8859-1 -t UTF-8 (or what the encoding is)'
        if !defined $line;
    $line =~ s/\n\z//;
    # [^\S \t] is every white space but blank and tab; the others have no width
    if ($line =~ /([^\S \t]|[\x{200b}\x{feff}])/) {
        return sprintf('expected words between blanks or tabs, found white space'
              . ' U+%04X at character %d; replace it with a blank',
            ord($1), $-[1] + 1);
    }
    if (!$non_print && $line =~ /([^[:print:]\s])/) {
        return sprintf('expected characters that can be printed, found U+%04X at'
              . ' character %d; remove it, or specify --non-print',
            ord($1), $-[1] + 1);
    }
    my %words = map { $_ => 1 } split(' ', $line);
    for my $symbol (@RESERVED) {
        return "found the reserved symbol $symbol, which no transcript may hold;"
            . ' remove it'
            if $words{$symbol};
    }
    return '';
}

1;
