#!/usr/bin/env perl

# Splits an scp or any file with one record per line into parts of consecutive lines
# whose sizes differ by one line at most, or, with --utt2spk, into parts that keep
# each speaker together and are as even as that allows. It never makes an empty part.

use strict;
use warnings;

my $usage = <<'END';
Usage: split_scp.pl [--utt2spk=FILE] IN OUT1 OUT2 ...
   or: split_scp.pl -j NUM-JOBS JOB-ID [--one-based] [--utt2spk=FILE] IN [OUT]
JOB-ID counts from 0, or from 1 with --one-based; without OUT the part goes to stdout.
END

my ($count, $id, $one_based, $utt2spk) = (0, 0, 0, '');
while (@ARGV && $ARGV[0] =~ /^-./) {
    my $option = shift @ARGV;
    if ($option eq '-j' && @ARGV >= 2) { ($count, $id) = splice(@ARGV, 0, 2) }
    elsif ($option =~ /^--utt2spk=(.+)/) { $utt2spk = $1 }
    elsif ($option eq '--one-based') { $one_based = 1 }
    else { stop("invalid option $option\n$usage") }
}
if ($count) {
    stop("expected two numbers after -j, got '$count $id'\n$usage")
        if "$count $id" !~ /^\d+ \d+$/;
    my $part = $id - $one_based;
    stop("expected a job between $one_based and " . ($count - 1 + $one_based)
          . " after -j $count, got $id")
        if $part < 0 || $part >= $count;
    stop("expected IN [OUT] after -j, got @ARGV\n$usage") if @ARGV < 1 || @ARGV > 2;
    my $parts = split_lines($ARGV[0], $count);
    write_part($ARGV[1] // '-', $parts->[$part]);
}
else {
    stop("too few file names\n$usage") if @ARGV < 2;
    my ($in, @outputs) = @ARGV;
    my $parts = split_lines($in, scalar @outputs);
    write_part($outputs[$_], $parts->[$_]) for 0 .. $#outputs;
}

sub stop {
    my ($message) = @_;
    chomp $message;
    die "$0: $message\n";
}

sub read_lines {
    my ($name) = @_;
    open(my $file, '<', $name) or stop("cannot read $name: $!");
    my @lines = <$file>;
    close($file);
    return @lines;
}

sub write_part {
    my ($name, $lines) = @_;
    my $file;
    my $opened = $name eq '-' ? open($file, '>&', \*STDOUT) : open($file, '>', $name);
    stop("cannot write $name: $!") if !$opened;
    print {$file} @$lines or stop("cannot write $name: $!");
    close($file) or stop("cannot write $name: $!");
    return;
}

# The lines of each part.
sub split_lines {
    my ($in, $parts) = @_;
    my @lines = read_lines($in);
    stop("empty input file $in") if !@lines;
    stop("You are splitting into too many pieces! [reduce \$nj] ($in has "
          . scalar(@lines) . " lines, $parts parts are asked for)")
        if $parts > @lines;
    return by_speaker($in, \@lines, $parts) if $utt2spk ne '';
    my ($size, $longer) = (int(@lines / $parts), @lines % $parts);
    return [map { [splice(@lines, 0, $size + ($_ <= $longer))] } 1 .. $parts];
}

sub by_speaker {
    my ($in, $lines, $parts) = @_;
    my %speaker_of;
    for my $line (read_lines($utt2spk)) {
        my @words = split(' ', $line);
        stop("expected 'utterance speaker' in $utt2spk, got: $line") if @words != 2;
        $speaker_of{ $words[0] } = $words[1];
    }
    my (@speakers, %lines_of);
    for my $line (@$lines) {
        my ($utterance) = split(' ', $line);
        stop("empty line in $in") if !defined $utterance;
        my $speaker = $speaker_of{$utterance}
            // stop("no utterance $utterance in $utt2spk");
        push @speakers, $speaker if !$lines_of{$speaker};
        push @{ $lines_of{$speaker} }, $line;
    }
    stop('refusing to split because the number of speakers ' . @speakers
          . " is less than the number of parts $parts")
        if @speakers < $parts;
    my @groups = even_groups($parts, map { scalar @{ $lines_of{$_} } } @speakers);
    return [map {
        [map { @{ $lines_of{$_} } } splice(@speakers, 0, $_)]
    } @groups];
}

# How many of the consecutive speakers each part takes, so that every part has one
# and ends as near as can be to its share of all lines.
sub even_groups {
    my ($parts, @sizes) = @_;
    my $total = 0;
    $total += $_ for @sizes;
    my (@groups, $sum);
    my $next = 0;
    for my $part (1 .. $parts) {
        my $first = $next;
        my $share = $total * $part / $parts;
        my $last = @sizes - ($parts - $part);    # leave a speaker to each later part
        $sum += $sizes[$next++];
        while ($next < $last
            && ($part == $parts || $sum + $sizes[$next] / 2 < $share)) {
            $sum += $sizes[$next++];
        }
        push @groups, $next - $first;
    }
    return @groups;
}
