#!/usr/bin/env perl

# Turns utt2spk (one utterance and its speaker per line) into spk2utt (one speaker and
# all its utterances per line). Speakers and utterances keep their order.
# Usage: utt2spk_to_spk2utt.pl [utt2spk] > spk2utt

use strict;
use warnings;

my (@speakers, %utterances_of, %seen);
while (my $line = <>) {
    my ($utterance, $speaker, @more) = split(' ', $line);
    die "$0: line $.: expected 'utterance speaker', got: $line"
        if !defined $speaker || @more;
    die "$0: line $.: utterance $utterance was there before; each must be there once\n"
        if $seen{$utterance}++;
    push @speakers, $speaker if !$utterances_of{$speaker};
    push @{ $utterances_of{$speaker} }, $utterance;
}
print join(' ', $_, @{ $utterances_of{$_} }), "\n" for @speakers;
close(STDOUT) or die "$0: cannot write the output: $!\n";
